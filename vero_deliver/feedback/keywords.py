"""What people answer to text messages with, by custom and by carriers' rules.

Source: CTIA, "Messaging Principles and Best Practices"; Twilio, "Default opt-out keywords".
"""

from __future__ import annotations

from typing import Final, Literal

Keyword = Literal["stop", "start", "help", ""]

_WORDS: Final[dict[str, Keyword]] = {
    **dict.fromkeys(
        ("stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout",
         "opt out"),
        "stop",
    ),
    **dict.fromkeys(("start", "unstop"), "start"),  # not "yes": it answers questions too
    **dict.fromkeys(("help", "info"), "help"),
}  # fmt: skip


def keyword(text: str) -> Keyword:
    """The keyword that a message is, with nothing else in it; empty for any other message."""
    return _WORDS.get(" ".join(text.lower().strip("\"'.,!?:;-* \t\r\n").split()), "")
