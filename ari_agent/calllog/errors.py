"""The error of the call log that no second attempt cures."""

from __future__ import annotations

from ari_agent.errors import CallLogError


class CallLogUnusable(CallLogError):
    """The settings or the schema of the call log cannot work: somebody has to change something."""

    retryable = False
