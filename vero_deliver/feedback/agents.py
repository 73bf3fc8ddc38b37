"""Who opens and follows: a person, or a machine that does so by itself."""

from __future__ import annotations

from typing import Final

_MACHINES: Final = (  # words of user agents
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


def machine_by_agent(user_agent: str) -> bool | None:
    """True for agents that load and follow by themselves; None for all others.

    Gmail's and Yahoo's image proxies are others: they load when somebody looks.
    """
    agent = user_agent.strip().lower()
    # Apple Mail Privacy Protection says this and nothing more
    return True if agent == "mozilla/5.0" or any(word in agent for word in _MACHINES) else None
