"""Training data: from any data set's people to checked shards, and back (paper 3.1-3.2)."""
