"""Whom the agent talks to: a whole call without a network, with every connection it makes written down."""
