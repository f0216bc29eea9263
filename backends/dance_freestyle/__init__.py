"""The paper's three generators, P2B, B2F and FR: read backend.py first, then p2b, b2f and fr."""
