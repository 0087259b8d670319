"""Measures the whole agent on the sandbox, as its callers hear it."""
