"""`dance`: make the person in one photo dance like the person in a video."""

__version__ = "0.1.0"
