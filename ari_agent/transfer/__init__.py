"""The company's data as files that leave with it and come back: what is in them, how they are written and examined."""
