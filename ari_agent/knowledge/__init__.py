"""Company documents, as passages that can be found and spoken."""
