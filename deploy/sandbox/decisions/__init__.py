"""Scores how well an engine decides, on the utterances of tests/decisions."""
