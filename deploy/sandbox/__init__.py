"""A company that does not exist: its Asterisk, its callers and its staff, for the demo, the tests and the bench."""
