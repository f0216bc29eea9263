"""SCHP (Li et al. 2020, "Self-Correction for Human Parsing"), the parser HP of equation 1.

Read `parser.py` for what is labelled, `checkpoints.py` for the published files and `network.py` for
the network, which is written here: no kept library loads them.
"""
