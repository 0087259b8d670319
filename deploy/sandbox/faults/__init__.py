"""Faults injected into live calls, and an oracle that says whether a caller was left alone: `deploy/test --faults`."""
