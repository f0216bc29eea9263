"""Clips of one's own as training data: `clips` finds them, `crowd` follows the people, `reader`."""
