"""What a Python sender writes today: every step anew for every recipient."""

from __future__ import annotations

import logging
from collections.abc import Callable

import css_inline
import jinja2
import mjml

from benchmarks.render.case import Case, module
from benchmarks.render.ours import OURS, WHOLE
from benchmarks.render.parts import compose, dkimpy, html_to_text
from benchmarks.render.receipt import SUBJECT, TEMPLATES, Order, dollars

PREMAILER = "Jinja, MJML, premailer, EmailMessage, dkimpy"
CSS_INLINE = "Jinja, MJML, css-inline, EmailMessage, dkimpy"


def environment() -> jinja2.Environment:
    """Stock Jinja, which keeps its templates compiled."""
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    made.filters["money"] = dollars
    return made


def by_premailer() -> Case:
    """With premailer's own defaults, but nothing loaded from anywhere."""
    premailer = module("premailer", "premailer")

    def inline(html: str) -> str:
        made: str = premailer.transform(
            html, allow_network=False, cssutils_logging_level=logging.CRITICAL
        )
        return made

    return Case(PREMAILER, WHOLE, _sender(inline), OURS)


def by_css_inline() -> Case:
    """With css-inline, which is written in Rust."""
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False)
    return Case(CSS_INLINE, WHOLE, _sender(inliner.inline), OURS, calls=2)


def _sender(inline: Callable[[str], str]) -> Callable[[Order], bytes]:
    body, get_text = environment().get_template("receipt.mjml"), html_to_text()
    subject = jinja2.Environment(autoescape=False).from_string(SUBJECT)

    def send(order: Order) -> bytes:
        html = inline(mjml.mjml2html(body.render(order.context)))
        to = order.context["user"]["email"]
        return dkimpy(compose(to, subject.render(order.context), html, get_text(html), order.key))

    return send
