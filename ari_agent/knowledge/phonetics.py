"""How a German word sounds, as a short code: words that a recogniser takes for each other mostly share it."""

from __future__ import annotations

# Hans Joachim Postel: Die Kölner Phonetik. IBM-Nachrichten 19 (1969), pages 925-931.
_PLAIN = {
    **dict.fromkeys("aeijouyäöü", "0"),
    **dict.fromkeys("b", "1"),
    **dict.fromkeys("fvw", "3"),
    **dict.fromkeys("gkq", "4"),
    "l": "5",
    **dict.fromkeys("mn", "6"),
    "r": "7",
    **dict.fromkeys("szß", "8"),
}


def cologne(word: str) -> str:
    """Return the Cologne code of a lower-case word: digits, "" for one without letters."""
    digits = "".join(map(_digits, f" {word}", word, f"{word[1:]} "))
    told = "".join(digit for digit, before in zip(digits, f" {digits}", strict=False) if digit != before)
    return told[:1] + told[1:].replace("0", "")


def _digits(before: str, letter: str, after: str) -> str:
    """Return the digits of one letter between its neighbours; a space stands for none."""
    match letter:
        case "p":
            return "3" if after == "h" else "1"
        case "d" | "t":
            return "8" if after in "csz" else "2"
        case "x":
            return "8" if before in "ckq" else "48"
        case "c" if before == " ":
            return "4" if after in "ahkloqrux" else "8"
        case "c":
            return "4" if after in "ahkoqux" and before not in "szß" else "8"
        case _:
            return _PLAIN.get(letter, "")
