"""The demo company as a decider sees it."""

from __future__ import annotations

from ari_agent.decision import Brief, Topic
from ari_agent.dialogue.german import INTENTS
from ari_agent.documents.reading import read
from train.phrases import HERE

NAME = "Lindner Heizungsbau"
DOCUMENT = HERE.parents[3] / "deploy" / "sandbox" / "lindner.md"


def brief() -> Brief:
    """Return passages and intents; no names of people, so everybody goes to the default. Raises DocumentError."""
    topics = (Topic(passage.id, passage.title, passage.text, passage.questions) for passage in read(DOCUMENT).passages)
    return Brief(NAME, tuple(topics), INTENTS, ())
