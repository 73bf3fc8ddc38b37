"""Whether a machine opened a mail or followed a link by itself."""

from __future__ import annotations

from collections.abc import Mapping

_MACHINES = (  # words of user agents
    "barracuda",
    "proofpoint",
    "mimecast",
    "bot/",
    "bot;",
    "crawler",
    "spider",
    "curl/",
    "wget/",
    "python-",
    "go-http-client",
    "java/",
    "okhttp",
    "headlesschrome",
    "skypeuripreview",
)
_PREFETCHES = ("sec-purpose", "purpose", "x-purpose", "x-moz")  # prefetch, preview


def machine_by_agent(user_agent: str) -> bool | None:
    """True for agents that load and follow by themselves; None for all others.

    Gmail's and Yahoo's image proxies are others: they load when somebody looks.
    """
    agent = user_agent.strip().lower()
    # Apple Mail Privacy Protection says this and nothing more
    return True if agent == "mozilla/5.0" or any(word in agent for word in _MACHINES) else None


def is_prefetched(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that it only looks ahead. headers: names in lower case."""
    said = " ".join(headers.get(name, "") for name in _PREFETCHES).lower()
    return "prefetch" in said or "preview" in said
