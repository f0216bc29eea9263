"""Who synthetic people are: bodies, faces, clothes and colours drawn at random."""
