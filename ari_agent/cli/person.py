"""Who is at the keyboard."""

from __future__ import annotations

import os
import pwd


def account() -> str:
    """Return the account of the person at the keyboard: who called sudo, where it was called."""
    try:
        name = os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's number without a name
        name = f"uid {os.getuid()}"
    return name[:80]
