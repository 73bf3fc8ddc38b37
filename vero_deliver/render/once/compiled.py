"""A body in, its skeleton out: the template that is left for every recipient."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from jinja2 import TemplateSyntaxError, nodes

from vero_deliver.render.environment import Sandbox
from vero_deliver.render.markup import (
    Inliner,
    compiled_mjml,
    complete,
    has_direction,
    inline,
    is_styled,
    split_styles,
    with_preheader,
)
from vero_deliver.render.mjml_check import MarkupError
from vero_deliver.render.once import verify
from vero_deliver.render.once.flatten import Flattener
from vero_deliver.render.once.hoist import hoisted
from vero_deliver.render.once.macros import expanded
from vero_deliver.render.once.parts import (
    DIRECTION,
    PREHEADER,
    Declined,
    Part,
    bound_in,
    expression,
    joined,
    names_in,
)
from vero_deliver.render.once.protect import Protected, Protector
from vero_deliver.render.once.restore import Restored, as_comments, restored
from vero_deliver.render.once.styles import Sheet, check, sheet
from vero_deliver.render.once.translate import translated
from vero_deliver.render.places import in_places
from vero_deliver.render.run import Catalog
from vero_deliver.render.templates import Templates
from vero_deliver.source import where

_MARKUP = re.compile("[<>]")
_HIDDEN = "vJ{}Q"


class Body(NamedTuple):
    """What decides a skeleton.

    label: what to call a source written in Python. preheader: whether the user has one.
    """

    source: str
    ending: Literal["mjml", "html"]
    label: str
    layout: str
    language: str
    preheader: bool


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The template to run for every recipient.

    markup_in: whether values that are markup already may be put in; an inliner would have read
    them.
    """

    source: str
    markup_in: bool = False


class Compiler:
    """Compiles bodies of one project."""

    def __init__(self, templates: Templates, inliner: Inliner) -> None:
        self._templates = templates
        self._environment: Sandbox = templates.environment("html")
        self._inliner: Inliner = inliner

    def skeleton(self, body: Body, catalog: Catalog, files: list[str]) -> Skeleton:
        """Raises Declined with the reason where every recipient needs a compilation.

        files: takes the names of the templates that it reads.
        """
        flattener = Flattener(self._templates, files)
        try:
            parts = self._parts(body, catalog, flattener)
            if body.ending == "html" and not self._is_styled(parts):
                return self._plain(parts, body)
            return self._compiled(parts, body)
        except TemplateSyntaxError as error:
            place = where(body.source, error.lineno) or f"{body.label}:{error.lineno}"
            raise Declined(f"template syntax: {error.message}", place) from None
        except MarkupError as error:
            raise Declined(str(error)) from None

    def _parts(self, body: Body, catalog: Catalog, flattener: Flattener) -> list[Part]:
        parts = flattener.body(body.source, body.label, body.layout)
        parts = expanded(parts, flattener, self._environment)
        parts = translated(parts, catalog, body.language, self._environment)
        return _merged(parts)

    def _is_styled(self, parts: Sequence[Part]) -> bool:
        return self._inliner != "none" and is_styled(joined(parts))

    def _plain(self, parts: Sequence[Part], body: Body) -> Skeleton:
        """HTML that no engine reads: the template itself, made a document."""
        text = joined(parts)
        static = "".join(part.code for part in parts if part.kind == "data")
        if any(part.kind == "tag" for part in parts) and re.search(
            r"<(?:html|body|!doctype)\b", static, re.IGNORECASE
        ):
            depth = 0
            for part in parts:
                depth += part.opens - part.ends
                if depth and re.search(r"<(?:html|body|!doctype)\b", part.code, re.IGNORECASE):
                    raise Declined("a document that begins inside a tag", part.place)
        html = complete(text, body.language)
        if body.preheader:
            html = with_preheader(html, _HIDDEN.format(0)).replace(
                _HIDDEN.format(0), f"{{{{{PREHEADER}}}}}", 1
            )
        return Skeleton(in_places(self._environment, html), markup_in=True)

    def _compiled(self, parts: list[Part], body: Body) -> Skeleton:
        if self._inliner == "premailer":
            raise Declined('inliner = "premailer": what it does depends on every value')
        mjml = body.ending == "mjml"
        self._check_values(parts)
        own = self._sheet(parts, mjml=mjml)
        parts = _merged(hoisted(parts, self._environment, own.matched))
        protected = Protector(parts, mjml=mjml, styled=bool(own.selectors)).run()
        self._check_names(parts, protected)
        found = self._through(protected, body, own)
        verify.check(protected, found, self._naive(body), preheader=body.preheader)
        return Skeleton(found.source())

    def _sheet(self, parts: Sequence[Part], *, mjml: bool) -> Sheet:
        if self._inliner == "none":
            return sheet(())
        text = "".join(part.code if part.kind == "data" else "vJ0Q" for part in parts)
        if mjml:
            return sheet(split_styles(text)[1])
        return sheet(re.findall(r"<style\b[^>]*>(.*?)</style", text, re.DOTALL | re.IGNORECASE))

    def _through(self, protected: Protected, body: Body, own: Sheet) -> Restored:
        """The protected markup through the engines, as for one recipient."""
        hidden = (
            _HIDDEN.format(protected.add_free(Part("print", PREHEADER))) if body.preheader else ""
        )
        html = self._naive(body)(self._with_direction(protected), hidden)
        found = restored(html, protected)
        check(own.selectors, found.tree)
        return found

    def _with_direction(self, protected: Protected) -> str:
        """The direction follows a language that data chooses, where the author gives none."""
        if protected.language is None or has_direction(protected.markup):
            return protected.markup
        code = DIRECTION.format(protected.language.code)
        number = protected.add_free(Part("print", code))
        return protected.markup.replace("<mjml", f'<mjml dir="{_HIDDEN.format(number)}"', 1)

    def _naive(self, body: Body) -> Callable[[str, str], str]:
        inliner = self._inliner

        def compile_mjml(markup: str, hidden: str) -> str:
            html, css = compiled_mjml(markup, body.language)
            html = (
                as_comments(with_preheader(html, hidden)) if css else with_preheader(html, hidden)
            )
            return inline(html, css, inliner, tidy=False) if css else html

        def compile_html(markup: str, hidden: str) -> str:
            html = with_preheader(complete(markup, body.language), hidden)
            return inline(as_comments(html), "", inliner, tidy=False) if is_styled(html) else html

        return compile_mjml if body.ending == "mjml" else compile_html

    def _check_values(self, parts: Sequence[Part]) -> None:
        """Constants that are markup would be put in unread."""
        for part in parts:
            if part.kind != "print":
                continue
            tree = expression(self._environment, part.code)
            try:
                value = tree.as_const(nodes.EvalContext(self._environment))
            except nodes.Impossible:
                continue
            if _MARKUP.search(str(value)) and hasattr(value, "__html__"):
                raise Declined(f"{part.shown()} is markup", part.place)

    def _check_names(self, parts: Sequence[Part], protected: Protected) -> None:
        """An expression in CSS moves to where its rule applies: its names mean the same there."""
        bound = bound_in(self._environment.parse(joined(parts)))
        for number in protected.free:
            part = protected.constructs[number]
            names = names_in(expression(self._environment, part.code))
            if names & (bound | {"loop"}):
                raise Declined(
                    f"{part.shown()} in CSS uses a name that is bound elsewhere", part.place
                )


def _merged(parts: Sequence[Part]) -> list[Part]:
    """Neighbouring text made one."""
    found: list[Part] = []
    for part in parts:
        if part.kind == "data" and found and found[-1].kind == "data":
            found[-1] = Part("data", found[-1].code + part.code, found[-1].place)
        elif part.kind != "data" or part.code:
            found.append(part)
    return found
