"""Stories of calls, played in virtual time."""
