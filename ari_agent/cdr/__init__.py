"""Asterisk's own records of calls, read and never written: CDR as CSV or as a Postgres table, and queue_log."""
