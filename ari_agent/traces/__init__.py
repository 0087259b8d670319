"""Traces that callers leave in Asterisk's own files: found, masked where they stand, and deleted when they are old."""
