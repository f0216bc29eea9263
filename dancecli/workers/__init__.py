"""Tasks done by other processes, of this machine or of a Ray cluster; a worker may die any time."""
