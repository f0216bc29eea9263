"""Synthetic humans: made from CC0 meshes, rendered with exact labels."""
