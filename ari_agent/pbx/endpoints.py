"""The requests of Asterisk's REST interface that we use; a test compares them with the API of the live server."""

from __future__ import annotations

from dataclasses import dataclass

_GONE = frozenset({404, 409, 412, 422})
"""Statuses with which Asterisk says that the channel or bridge is no longer there, or no longer ours."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One request of the REST interface."""

    method: str
    path: str
    params: tuple[str, ...] = ()
    gone: frozenset[int] = _GONE
    """Statuses that are ChannelGone."""


INFO = Endpoint("GET", "/asterisk/info")
MODULE = Endpoint("GET", "/asterisk/modules/{moduleName}")
APPLICATIONS = Endpoint("GET", "/applications")
APPLICATION = Endpoint("GET", "/applications/{applicationName}")
TELL = Endpoint("POST", "/events/user/{eventName}", ("application",))
CLAIM = Endpoint("POST", "/events/claim", ("channelId", "application"))
PHONE = Endpoint("GET", "/endpoints/{tech}/{resource}")
CHANNELS = Endpoint("GET", "/channels")
CHANNEL = Endpoint("GET", "/channels/{channelId}")
ANSWER = Endpoint("POST", "/channels/{channelId}/answer")
CONTINUE = Endpoint("POST", "/channels/{channelId}/continue", ("context", "extension", "priority"))
HANGUP = Endpoint("DELETE", "/channels/{channelId}", ("reason",))
ORIGINATE = Endpoint(
    "POST", "/channels/{channelId}", ("endpoint", "app", "appArgs", "callerId", "timeout", "originator")
)
EXTERNAL_MEDIA = Endpoint(
    "POST",
    "/channels/externalMedia",
    ("channelId", "app", "external_host", "encapsulation", "transport", "connection_type", "format", "data"),
)
BRIDGES = Endpoint("GET", "/bridges")
CREATE_BRIDGE = Endpoint("POST", "/bridges/{bridgeId}", ("type", "name"))
DESTROY_BRIDGE = Endpoint("DELETE", "/bridges/{bridgeId}")
ADD_CHANNEL = Endpoint("POST", "/bridges/{bridgeId}/addChannel", ("channel",), _GONE | {400})  # 404 means the bridge
ENDPOINTS = (
    INFO, MODULE, APPLICATIONS, APPLICATION, TELL, CLAIM, PHONE, CHANNELS, CHANNEL, ANSWER, CONTINUE, HANGUP,
    ORIGINATE, EXTERNAL_MEDIA, BRIDGES, CREATE_BRIDGE, DESTROY_BRIDGE, ADD_CHANNEL,
)  # fmt: skip


def remedy(status: int) -> str:
    """Return what an administrator can do about a status that is an error."""
    match status:
        case 401:
            return "wrong user or password; compare ari_user and ari_password_file with ari.conf"
        case 403:
            return "the user is read_only in ari.conf"
        case 404:
            return "ARI is not enabled or res_ari is not loaded"
        case 503 | 500:
            return "Asterisk is starting, stopping or overloaded"
        case _:
            return "unexpected answer"
