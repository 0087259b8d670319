"""Measures how well and how fast the readers find the passage that answers a caller."""
