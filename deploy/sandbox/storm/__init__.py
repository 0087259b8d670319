"""More callers than the machine can carry: everybody has to reach the agent or the people."""
