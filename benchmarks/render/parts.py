"""The parts that a Python sender usually takes: EmailMessage, dkimpy, inscriptis, Jinja's code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, cast

import dkim
from jinja2.compiler import CodeGenerator

from benchmarks.render.case import Case, module
from benchmarks.render.keys import DOMAIN, PEM, SELECTOR, SIGNER
from benchmarks.render.ours import OURS, WHOLE, rendering, signed
from benchmarks.render.receipt import AT, Order, message, order, renderer
from vero_deliver import mime
from vero_deliver.render.environment import Sandbox
from vero_deliver.rendered import RenderedEmail

JINJA = "Vero Deliver with Jinja's own code"
TEXT = "Vero Deliver with inscriptis"
EMAIL_MESSAGE = "Vero Deliver with EmailMessage"
DKIMPY = "Vero Deliver with dkimpy"
ALL = "Vero Deliver with the last three"


def compose(to: str, subject: str, html: str, text: str, key: str) -> bytes:
    """The message as the standard library makes it."""
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = Address("Bob's Shop", "orders", DOMAIN)
    made["To"] = to
    made["Subject"] = subject
    made["Date"] = format_datetime(AT)
    made["Message-ID"] = f"<{key}@{DOMAIN}>"
    made.set_content(text)
    made.add_alternative(html, subtype="html")
    return made.as_bytes()


def dkimpy(raw: bytes) -> bytes:
    """The message signed, as dkimpy's own documentation has it."""
    signature: bytes = dkim.sign(
        raw, SELECTOR.encode(), DOMAIN.encode(), PEM, canonicalize=(b"relaxed", b"simple")
    )
    return signature + raw


def html_to_text() -> Callable[[str], str]:
    """A text part read off the HTML. html2text is GPL, so it is no dependency of ours."""
    return cast("Callable[[str], str]", module("inscriptis", "inscriptis").get_text)


def _composed(rendered: RenderedEmail, key: str) -> bytes:
    to, text = rendered.to[0].email, rendered.text
    return compose(to, rendered.subject, rendered.html, text, key)


def _jinja() -> Case:
    render = _stock_code()
    return Case(JINJA, WHOLE, lambda order: signed(render(order), order.key), OURS, calls=10)


def _stock_code() -> Callable[[Order], RenderedEmail]:
    """A renderer whose templates Jinja's own generator has compiled."""
    sandbox: Any = Sandbox
    ours = sandbox.code_generator_class
    render = rendering(renderer(), message())  # compiles when first called
    sandbox.code_generator_class = CodeGenerator
    try:
        render(order(0))
    finally:
        sandbox.code_generator_class = ours
    return render


def _text() -> Case:
    render, get_text = rendering(renderer(), message()), html_to_text()

    def run(order: Order) -> bytes:
        email = render(order)
        return signed(replace(email, text=get_text(email.html)), order.key)

    return Case(TEXT, WHOLE, run, OURS, calls=5)


def _mime() -> Case:
    render = rendering(renderer(), message())

    def run(order: Order) -> bytes:
        return mime.sign(_composed(render(order), order.key), [SIGNER], AT)

    return Case(EMAIL_MESSAGE, WHOLE, run, OURS, calls=5)


def _dkim() -> Case:
    render = rendering(renderer(), message())
    return Case(DKIMPY, WHOLE, lambda order: dkimpy(render(order).mime(order.key)), OURS, calls=3)


def _all() -> Case:
    render, get_text = rendering(renderer(), message()), html_to_text()

    def run(order: Order) -> bytes:
        email = render(order)
        return dkimpy(_composed(replace(email, text=get_text(email.html)), order.key))

    return Case(ALL, WHOLE, run, OURS, calls=2)


STOCK = {  # ours with one part replaced after another, then with all three
    JINJA: _jinja,
    TEXT: _text,
    EMAIL_MESSAGE: _mime,
    DKIMPY: _dkim,
    ALL: _all,
}
