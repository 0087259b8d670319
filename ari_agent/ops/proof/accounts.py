"""Who may log in, and what each account of the call log may do. No name of a personal account is told."""

from __future__ import annotations

import asyncio
import pwd
from collections.abc import AsyncIterator

from ari_agent.calllog.reading import Row
from ari_agent.ops.proof.fact import Fact, judged, stated, unknown
from ari_agent.ops.proof.scene import UNSEEN, Scene, day

_ROLES = "Rollen der Datenbank"
_RIGHTS = "Rechte in der Datenbank"
_PEOPLE = "Persönliche Konten der Datenbank"
_PARTS = {
    "auditor": "Prüfung", "desk": "Empfang", "privacy": "Datenschutz", "metrics": "Überwachung", "agent": "wie die KI",
    "reconcile": "Abgleich",
    "owner": "Besitzer", "migrate": "Verwaltung", "superuser": "Superuser", "other": "ohne Rolle des Anrufprotokolls",
}  # fmt: skip
_STATEMENTS = {"SELECT": "liest", "INSERT": "schreibt", "UPDATE": "ändert", "DELETE": "löscht"}
_NO_SHELL = {"nologin", "false", "sync"}


async def facts(scene: Scene) -> AsyncIterator[Fact]:
    """Yield what is known of accounts and rights."""
    roles = await scene.rows("proof_roles")
    if roles is None:
        yield unknown("accounts.roles", _ROLES, UNSEEN)
    else:
        yield _roles(roles)
    rights = await scene.rows("rights_by_account")
    if rights is None:
        yield unknown("accounts.rights", _RIGHTS, UNSEEN)
    for account in dict.fromkeys(row["account"] for row in rights or ()):
        mine = [row for row in rights or () if row["account"] == account]
        yield stated(f"rights.{account}", f"Rechte von {account}", "; ".join(map(_right, mine)))
    people = await scene.rows("proof_accounts")
    if people is None:
        yield unknown("accounts.people", _PEOPLE, UNSEEN)
    else:
        for row in people:
            yield _people(row)
    yield await asyncio.to_thread(_machine)


def _roles(roles: list[Row]) -> Fact:
    if not roles:
        found = "nicht eingerichtet; wer die Datenbank erreicht, darf alles (ari-agent calllog roles)"
        return judged("accounts.roles", _ROLES, found, met=False)
    logins = [role["account"] for role in roles if role["logs_in"]]
    strong = [role["account"] for role in roles if role["unbound"] or (role["account"], role["logs_in"]) == _OWNER]
    found = f"{len(roles)} eingerichtet, Anmeldung möglich: {', '.join(logins)}"
    return judged("accounts.roles", _ROLES, f"{found}; zu mächtig: {', '.join(strong) or 'keine'}", met=not strong)


_OWNER = ("ari_agent_owner", True)
"""The owner of everything must not be able to log in."""


def _right(row: Row) -> str:
    extent = "" if row["whole"] else " (einzelne Spalten)"
    return f"{_STATEMENTS[row['statement']]}{extent} {', '.join(row['relations'])}"


def _people(row: Row) -> Fact:
    """Tell how many there are; only superusers, who are the server's own, may be without a last day."""
    part = row["part"]
    told = [f"{row['accounts']} können sich anmelden" if row["accounts"] != 1 else "1 kann sich anmelden"]
    if row["endless"]:
        told.append(f"{row['endless']} ohne Enddatum")
    if row["expired"]:
        told.append(f"{row['expired']} abgelaufen")
    if row["next_end"]:
        told.append(f"nächstes Ende {day(row['next_end'])}")
    key, what = f"accounts.{part}", f"Weitere Konten der Datenbank: {_PARTS[part]}"
    if part in ("superuser", "other"):
        return stated(key, what, ", ".join(told))
    return judged(key, what, ", ".join(told), met=not row["endless"] and part not in ("owner", "migrate"))


def _machine() -> Fact:
    """Tell how many accounts of the machine have a shell; whether they have passwords or keys is not looked at."""
    names = [entry for entry in pwd.getpwall() if entry.pw_shell.rsplit("/", 1)[-1] not in _NO_SHELL]
    count = "1 Konto" if len(names) == 1 else f"{len(names)} Konten"
    found = f"{count} mit Anmeldeshell, root eingeschlossen; Kennwörter und Schlüssel wurden nicht geprüft"
    return stated("accounts.machine", "Anmeldung am Rechner", found)
