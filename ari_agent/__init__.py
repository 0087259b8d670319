"""AI receptionist beside a company's own Asterisk."""

__version__ = "0.1.0"
