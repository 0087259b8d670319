"""Only a plain yes is a consent, and whatever sounds like a wish to stop ends a recording."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.dialogue.consent import agrees, declines, stops, wants_more


@pytest.mark.parametrize(
    "text",
    [
        "ja", "ja gerne", "ja natürlich", "ja klar", "ja das ist in ordnung", "ja bitte", "äh ja", "ja ja", "jawohl",
        "einverstanden", "ja ich bin einverstanden", "ja dürfen sie", "okay ja", "na ja klar",
    ],
)  # fmt: skip
def test_a_plain_yes_is_a_consent(text: str) -> None:
    assert agrees(text)
    assert not declines(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "[unk]", "mhm", "okay", "gerne", "von mir aus", "ja [unk]", "ja nein", "nein ja", "ja aber nicht aufnehmen",
        "ja was kostet eine wartung", "nein", "lieber nicht", "ja lieber nicht", "ja wenn es sein muss", "ja hallo",
        "jaein", "ja warum", "eins", "nicht einverstanden", "bin ich nicht", "naja", "das ist in ordnung",
    ],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert not agrees(text)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_no_beside_a_yes_is_no_consent(before: str, after: str) -> None:
    for no in ("nein", "nicht", "kein", "[unk]"):
        assert not agrees(f"{before} {no} ja {after}")
        assert not agrees(f"ja {after} {no}")


@pytest.mark.parametrize("text", ["nein", "nein danke", "lieber nicht", "auf keinen fall", "nö"])
def test_a_plain_no_is_one(text: str) -> None:
    assert declines(text)


@pytest.mark.parametrize(
    "text",
    [
        "aufnahme stopp", "stoppen sie die aufnahme", "bitte nicht aufnehmen", "löschen sie die aufnahme", "stopp",
        "ich möchte nicht aufgenommen werden", "bitte löschen sie die aufzeichnung wieder", "keine aufnahme bitte",
        "[unk] stopp", "beenden sie bitte die aufzeichnung", "ich widerrufe meine einwilligung", "bitte löschen",
        "schalten sie die aufnahme aus", "das soll nicht mitgeschnitten werden", "hören sie auf aufzuzeichnen",
        "hören sie mit der aufnahme auf",
        "auf name stopp", "bitte nicht auf nehmen", "löschen sie die [unk]",
        "nicht mitschreiben", "ich nehme meine zustimmung zurück",
    ],
)  # fmt: skip
def test_a_wish_to_stop_is_understood(text: str) -> None:
    assert stops(text)
    assert not wants_more(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "ja", "was kostet eine wartung", "nehmen sie eine nachricht auf", "können sie das aufnehmen",
        "ich möchte einen termin absagen", "löschen sie meine nummer", "der aufzug ist gestoppt",
        "nein das stimmt nicht", "wann können sie den auftrag aufnehmen",
    ],
)  # fmt: skip
def test_other_wishes_stop_nothing(text: str) -> None:
    assert not stops(text)


def test_a_matter_beside_the_wish_is_not_lost() -> None:
    assert wants_more("aufnahme stopp und was kostet eine wartung der heizung")
    assert wants_more("keine aufnahme es brennt bei uns im keller")
