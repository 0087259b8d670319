"""What `doctor` says about the accounts of the call log's database."""

from __future__ import annotations

from ari_agent.calllog.database import EMBEDDED, Connection
from ari_agent.calllog.reading import rows
from ari_agent.config import Log
from ari_agent.ops.finding import Finding, Level

_MAKE = "give what `ari-agent calllog roles` prints to psql as a superuser, then set log.database to ari_agent_agent"


async def examine_accounts(settings: Log, connection: Connection) -> Finding:
    """Return whether the controller's account can do no more than it needs. Raises CallLogError."""
    (rights,) = await rows(connection, "rights_in_force", {}, settings.connect_s)
    if settings.database == EMBEDDED:
        parts = "with an account for each part" if rights["installed"] else "one account does everything"
        return Finding("accounts", Level.GOOD, f"the embedded database has no network; {parts}")
    if not rights["installed"]:
        return Finding("accounts", Level.WARNING, "auditor and controller have no accounts of their own", _MAKE)
    if rights["owns"] or rights["reads"]:
        remedy = "set log.database to ari_agent_agent"
        return Finding("accounts", Level.WARNING, "the controller's account can do more than write the log", remedy)
    return Finding("accounts", Level.GOOD, "the controller's account can only write the log")
