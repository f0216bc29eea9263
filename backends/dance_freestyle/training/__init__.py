"""Training: losses, items, the trainer, checkpoints, and the recipe of `compact`."""
