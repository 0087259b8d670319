"""The call log in Postgres: written as calls happen, read by auditors and the command line."""
