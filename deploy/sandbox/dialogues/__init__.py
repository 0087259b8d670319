"""Whole conversations as data, held with the real dialogue: `python -m sandbox.dialogues --help`."""
