"""Handlebars and nodemailer, in one process of node that takes its turns with ours."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks import node
from benchmarks.render.case import Case, Gives
from benchmarks.render.dialects import handlebars
from benchmarks.render.keys import DOMAIN, PEM, SELECTOR
from benchmarks.render.ours import HTML, OURS, PARTS, READY, TEMPLATE
from benchmarks.render.receipt import AT, SUBJECT, Order, order, template

HANDLEBARS, NODEMAILER = "Handlebars (node)", "nodemailer (node)"
BOTH = "Handlebars and nodemailer (node)"
NAMES = (HANDLEBARS, NODEMAILER, BOTH)
CALLS, ORDERS, WARM_UP = 100, 400, 5  # messages a round; orders, taken in turns; rounds


@contextmanager
def peer() -> Iterator[Node]:
    """The process, warm; it ends with the block. Raises Unavailable."""
    with node.peer("render.mjs", "handlebars", "nodemailer") as process:
        yield Node(process)


class Node:
    """The process, given templates, orders and a key."""

    def __init__(self, process: node.Process) -> None:
        self._process = process
        process.tell(
            html=handlebars(template("receipt.html")),
            text=handlebars(template("receipt.txt")),
            subject=SUBJECT,
            orders=[_plain(order(number)) for number in range(ORDERS)],
            domainName=DOMAIN,
            keySelector=SELECTOR,
            privateKey=PEM.decode(),
            date=AT.isoformat(),
        )

    def cases(self) -> Iterator[Case]:
        """A row each, and one for both together."""
        yield self._case(HANDLEBARS, "handlebars", HTML, TEMPLATE, "html")
        yield self._case(NODEMAILER, "nodemailer", READY, PARTS, "signed")
        covers = "compiled HTML and text templates, MIME, DKIM"
        yield self._case(BOTH, "both", covers, OURS, "signed")

    def _case(self, title: str, name: str, covers: str, base: str, gives: Gives) -> Case:
        for _ in range(WARM_UP):  # until V8 has optimised it
            self._process.ask(name=name, calls=CALLS)
        batch = partial(self._process.ask, name=name, calls=CALLS)
        run = partial(self._make, name, gives)
        return Case(title, covers, run, base, gives, CALLS, batch=batch)

    def _make(self, name: str, gives: Gives, order: Order) -> str | bytes:
        made = base64.b64decode(self._process.ask(name=name, make=_plain(order)))
        return made.decode() if gives == "html" else made


def _plain(order: Order) -> dict[str, Any]:
    return {"key": order.key, "context": order.context}
