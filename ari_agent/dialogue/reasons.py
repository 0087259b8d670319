"""Reasons of replies, by what the caller's next words mean after them."""

from __future__ import annotations

OFFERS = {"unknown", "refused"}
"""Replies that offer something: a "ja" takes it."""
OPEN = {
    "greeting", "prelude", "key", "ask-ai", "smalltalk", "cannot", "confirm", "which", "not-understood", "unknown",
    "refused", "slower",
}  # fmt: skip
"""Replies after which a "nein" asks for something else; after any other it ends the call."""
BESIDE_THE_MATTER = {
    "slower", "wait", "backchannel", "silence", "yes", "no", "ask-ai", "privacy", "smalltalk", "confirm", "which",
    "not-understood", "unknown", "key",
}  # fmt: skip
"""Replies after which a question may still lean on the answer before."""
ASKING_FOR_THE_MATTER = {"no", "prelude"}
"""Replies that ask what it is about."""
