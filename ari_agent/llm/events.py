"""Server-sent events: bytes in, the payload of each event out. Sans I/O.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

MOST_LINE_BYTES = 64 * 1024
"""An event of one token is 300 bytes."""


class TooLongError(ValueError):
    """A line has no end."""


class Events:
    """Puts one response together. Comments and fields other than `data` are left out."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []

    def feed(self, data: bytes) -> list[str]:
        """Return the payloads that are complete now. Raises TooLongError and UnicodeDecodeError."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MOST_LINE_BYTES:
            raise TooLongError
        payloads: list[str] = []
        for line in lines:
            field, _, value = line.removesuffix(b"\r").decode().partition(":")
            if field == "data":
                self._data.append(value.removeprefix(" "))
            elif not field and not value and self._data:
                payloads.append("\n".join(self._data))
                self._data.clear()
        return payloads
