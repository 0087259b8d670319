"""Makes the fakes beside this file importable from every test."""
