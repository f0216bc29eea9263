"""Losses of the three generators (sections 3.1-3.3) and how they add up."""
