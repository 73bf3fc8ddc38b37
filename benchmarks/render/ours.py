"""Vero Deliver through its public names: whole messages, and its single steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from benchmarks.render.case import Case, Unavailable
from benchmarks.render.keys import SIGNER, rsa_operation
from benchmarks.render.receipt import AT, Order, message, renderer, template
from vero_deliver import Email, Message, Renderer, mime
from vero_deliver.rendered import RenderedEmail

RSA = "RSA-2048 operation"
OURS = "Vero Deliver"
NO_DKIM = "Vero Deliver without DKIM"
EVERY_TIME = "Vero Deliver, compiling for every recipient"
TEMPLATE = "Vero Deliver, HTML only"
PARTS = "Vero Deliver, MIME and DKIM only"
WHOLE = "MJML, CSS, text part, MIME, DKIM"
HTML = "HTML from a compiled template"
READY = "MIME and DKIM of ready HTML and text"

Render = Callable[[Order], RenderedEmail]


def rendering(renderer: Renderer, message: Message) -> Render:
    """The call that every row of ours begins with."""

    def render(order: Order) -> RenderedEmail:
        rendered = renderer.render(
            message, order.user, "email", data=order.data, key=order.key, now=AT
        )
        return cast("RenderedEmail", rendered)

    return render


def signed(rendered: RenderedEmail, key: str) -> bytes:
    """The bytes that go out."""
    sign: Callable[..., bytes] | None = getattr(rendered, "signed", None)
    return sign(key, [SIGNER]) if sign else mime.sign(rendered.mime(key), [SIGNER], AT)


def costs() -> Iterator[Case]:
    """What one message costs, and the RSA operation next to it, milliseconds away."""
    render = rendering(renderer(), message())
    yield Case(RSA, "private_key.sign of cryptography", rsa_operation(), gives="nothing", calls=200)
    yield Case(OURS, WHOLE, lambda order: signed(render(order), order.key), RSA, calls=200)
    yield Case(
        NO_DKIM,
        "the same without DKIM",
        lambda order: render(order).mime(order.key),
        RSA,
        gives="message",
        calls=200,
    )


def every_time() -> Case:
    """The engine switched off: Jinja, then MJML, then CSS, for each recipient."""
    try:
        plain = renderer(compile_once=False)
    except TypeError:
        raise Unavailable("this version always does") from None
    render = rendering(plain, message())
    return Case(EVERY_TIME, WHOLE, lambda order: signed(render(order), order.key), OURS, calls=3)


def html_only() -> Case:
    """What template engines are compared with."""
    email = Email(
        from_="orders@shop.example.com", subject="Receipt", html=template("receipt.html"), text="-"
    )
    render = rendering(renderer(), Message(title="HTML only", email=email))
    return Case(TEMPLATE, HTML, lambda order: render(order).html, OURS, gives="html", calls=200)


def mime_only() -> Case:
    """What nodemailer is compared with."""
    render = rendering(renderer(), message())

    def ready(order: Order) -> tuple[dict[str, Any], str]:
        email = render(order)
        fields = ("from_", "to", "subject", "html", "text", "at")
        return {name: getattr(email, name) for name in fields}, order.key

    def run(ready: tuple[dict[str, Any], str]) -> bytes:
        fields, key = ready
        return signed(RenderedEmail(**fields), key)

    return Case(PARTS, READY, run, OURS, calls=200, prepare=ready)
