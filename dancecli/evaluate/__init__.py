"""Measuring what a system made against what was real (paper section 4, method.md F's decisions).

sources ─► pairs of frames ─► measures (pictures, people, sequences) ─► results ─► report
"""
