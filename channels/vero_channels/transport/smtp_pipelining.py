"""How much is written before an answer is heard, and what a server cannot bear (RFC 2920, 3030)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

from vero_channels.transport.smtp_dialogue import Reply

Mode = Literal["off", "envelope", "cross", "bdat"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)  # each writes more at once than the one before

# "554 SMTP synchronization error" (Exim), "503 5.5.0 Improper use of SMTP command pipelining"
# (Postfix's reject_unauth_pipelining)
_WORDS = re.compile(r"pipelined|pipelining|synchroni[sz]", re.IGNORECASE)


class Pipelining:
    """The mode for one server: what was asked for, less what it has turned out not to bear."""

    def __init__(self, asked: Mode) -> None:
        self.most = asked

    def mode(self, extensions: Mapping[str, str]) -> Mode:
        """The mode on a session where the server offered these."""
        if self.most == "bdat" and {"chunking", "pipelining"} <= extensions.keys():
            return "bdat"
        if self.most == "off" or "pipelining" not in extensions:
            return "off"
        return "envelope" if self.most == "envelope" else "cross"

    def lower(self, failed: Mode) -> None:
        """Never again more than the mode below the one that failed."""
        below = MODES[max(0, MODES.index(failed) - 1)]
        self.most = MODES[min(MODES.index(self.most), MODES.index(below))]


def out_of_step(reply: Reply, *, all_well: bool) -> bool:
    """Whether a reply says that commands came too early.

    all_well: everything that the command depends on was accepted, so that 503, "bad sequence of
    commands", is not about the commands.
    """
    if reply.code == 503 and all_well:
        return True
    return reply.code >= 500 and bool(_WORDS.search(reply.words))
