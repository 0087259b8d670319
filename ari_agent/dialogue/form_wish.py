"""When the caller wants to be called, and when the company calls."""

from __future__ import annotations

import re
from datetime import datetime, time

from ari_agent.dialogue.form_replies import SlotName, heard, meant, verdict
from ari_agent.dialogue.form_steps import Say
from ari_agent.dialogue.form_wording import FormWording
from ari_agent.hours import BERLIN, Hours
from ari_agent.spoken import dates, wishes
from ari_agent.spoken.times import WORKDAY
from ari_agent.spoken.wishes import Wish

MOST_ASKED = 2
MOST_OFFERED = 3
_NO_MATTER_WHEN = re.compile(
    r"""\b(den\ ganzen\ tag | durchgehend | rund\ um\ die\ uhr | (immer|jederzeit)\ (da|erreichbar|zu\ erreichen) |
        wann\ immer | zu\ jeder\ zeit | keine\ (bestimmte|besondere) | spielt\ keine\ rolle |
        weiß\ (ich\ )?nicht | keine\ ahnung | (ist\ )?mir\ (gleich|wurscht|wurst|schnuppe|recht))\b""",
    re.VERBOSE,
)


class WishSlot:
    """Asks when to call, at most twice; then it is as soon as possible."""

    slot: SlotName = "wish"

    def __init__(self, wording: FormWording, now: datetime, hours: Hours | None) -> None:
        self._wording, self._hours = wording, hours
        self._now = now.astimezone(hours.zone if hours else BERLIN)
        self._opened = hours.workday() if hours else WORKDAY
        self._wish: Wish | None = None
        self._offer: datetime | None = None
        self._settled = False
        self._asked = self._offered = 0

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        """From and until when the caller wants to be called; None where it does not matter."""
        if self._wish is None or self._any_time(self._wish):
            return None, None
        return self._wish.earliest, self._wish.latest

    @property
    def due(self) -> datetime | None:
        """When the company calls back; None when it never opens."""
        wish = self._wish or Wish(self._now, None)
        if self._hours is None:
            return max(wish.earliest, self._now)
        due = wishes.due(wish, self._hours, self._now)
        return due.at if due else None

    def when(self) -> str:
        """Return in German when the company calls back."""
        due, wish = self.due, self._wish
        if wish is not None and not self._any_time(wish):
            if due is not None and wish.earliest.time() != time() and wish.latest not in (None, wish.earliest):
                wish = Wish(due, wish.latest)  # "morgen früh" is when somebody is there
            return wishes.say(wish, self._now, self._opened)
        return self._moment(due) if due is not None and due > self._now else self._wording.soon

    def prompt(self) -> Say | None:
        """Return what to say next; None when the time is settled."""
        if self._settled:
            return None
        w = self._wording
        if self._offer is not None:
            if self._offered < MOST_OFFERED:
                self._offered += 1
                return Say(w.wish_closed.format(when=self._moment(self._offer)), "wish-offer")
            self._accept(self._offer)
            return None
        if self._asked >= MOST_ASKED:
            self._settled, self._wish = True, Wish(self._now, None)
            return None
        self._asked += 1
        return Say(w.wish if self._asked == 1 else w.wish_again, "wish")

    def hear(self, text: str) -> str:
        """Take the caller's words; nothing is left over."""
        said = " ".join(heard(text))
        wish = self._wish_in(text)
        if wish is not None:
            self._consider(wish)
        elif self._offer is None and (_NO_MATTER_WHEN.search(said) or verdict(text) == ("no", "")):
            self._consider(Wish(self._now, None))
        elif self._offer is not None:
            answer, _ = verdict(text)
            if answer == "yes":
                self._accept(self._offer)
            elif answer == "no":
                self._offer, self._wish = None, None
        return ""

    def fits(self, text: str) -> bool:
        """Tell whether the words name a time."""
        return self._wish_in(text) is not None

    def suggest(self, text: str) -> bool:
        """Take a time that was said along with something else."""
        wish = None if self._settled else self._wish_in(text)
        if wish is None:
            return False
        self._consider(wish)
        return True

    def replace_by(self, text: str) -> bool:
        """Take another time instead of the settled one."""
        day = self._wish.earliest if self._wish is not None else self._now
        wish = self._wish_in(text, day if dates.parse(text, self._now.date()) is None else self._now)
        if wish is not None:
            self._offered = 0
            self._consider(wish)
        return wish is not None

    def reopen(self, text: str) -> None:
        """Ask again; the right time may be among the words."""
        self._settled, self._offer, self._wish = False, None, None
        self._asked = self._offered = 0
        self.hear(text)

    def _wish_in(self, text: str, on: datetime | None = None) -> Wish | None:
        """Return the time that is named; `on` is the day of one that names only the hour."""
        # "das ist zu früh" names no time
        said = re.sub(r"\bzu (?:früh|spät)\b", "", meant(" ".join(heard(text))))
        if on is not None and on.date() > self._now.date():
            return wishes.parse(said, _midnight(on), self._opened)
        wish = wishes.parse(said, self._now, self._opened)
        if wish is None or self._hours is None or dates.parse(said, self._now.date()) is not None:
            return wish
        due = wishes.due(wish, self._hours, self._now)
        if due is None or due.kept or self._any_time(wish) or due.at.date() == self._now.date():
            return wish
        # no day was named, and today is over: it is for the next day
        later = wishes.parse(said, _midnight(due.at), self._opened)
        kept = wishes.due(later, self._hours, self._now) if later is not None else None
        return later if kept is not None and kept.kept else wish

    def _consider(self, wish: Wish) -> None:
        """Keep the wish if somebody is there, else offer the next time."""
        self._wish, self._offer, self._settled = wish, None, True
        due = wishes.due(wish, self._hours, self._now) if self._hours else None
        if due is not None and not due.kept and not self._any_time(wish):
            self._offer, self._settled = due.at, False

    def _accept(self, offer: datetime) -> None:
        self._wish, self._offer, self._settled = Wish(offer, None), None, True

    def _any_time(self, wish: Wish) -> bool:
        """Tell whether the caller leaves it to the company; "at once" is the same, as early as there is somebody."""
        return wish.earliest <= self._now and wish.latest in (None, self._now)

    def _moment(self, moment: datetime) -> str:
        return wishes.say(Wish(moment, None), self._now, self._opened)


def _midnight(at: datetime) -> datetime:
    return datetime.combine(at, time(), at.tzinfo)
