"""What a template raised, as an error that names the author's file and line."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import jinja2
from jinja2 import Environment, Template, TemplateNotFound, TemplateSyntaxError

from vero_deliver.errors import MessageError, RenderError
from vero_deliver.plain import nearest
from vero_deliver.render.syntax import explained, with_near
from vero_deliver.source import where


def located(
    error: Exception, text: str, field: str, variables: Mapping[str, Any], template: Template
) -> RenderError | MessageError:
    """The error to raise for what a run of the template raised.

    text: what the author wrote. field: what to call it where it was not read from a file.
    """
    filename, environment = template.filename or "", template.environment
    if isinstance(error, TemplateSyntaxError):  # in an included file, or in an expression
        return syntax(error, text, filename, environment)
    place = _place(error.__traceback__, text, field, filename)
    if isinstance(error, TemplateNotFound):
        return MessageError(error.message or str(error), where=place)
    return RenderError(_words(error, variables, environment), where=place)


def syntax(
    error: TemplateSyntaxError, text: str, filename: str, environment: Environment
) -> MessageError:
    """The error to raise for text that is no template."""
    own = error.filename in {None, filename} or error.name is None
    words, line = explained(error, environment)
    place = (where(text, line) or f"{filename}:{line}") if own else f"{error.filename}:{line}"
    return MessageError(f"template syntax: {words}", where=place)


def _words(error: Exception, variables: Mapping[str, Any], environment: Environment) -> str:
    words = str(error) or type(error).__name__
    if isinstance(error, jinja2.UndefinedError):
        name = words.partition("there is no ")[2].strip("'")
        return words + (nearest(name, variables) if name.isidentifier() else "")
    if isinstance(error, RecursionError):
        return "templates include or call each other without end"
    return with_near(words, environment)


def _place(tb: TracebackType | None, text: str, field: str, filename: str) -> str:
    """The innermost template line of the traceback, in the author's own file."""
    place = where(text) or field
    while tb is not None:
        code, line = tb.tb_frame.f_code, tb.tb_lineno
        if code.co_filename == filename:
            place = where(text, line) or f"{field}:{line}"
        elif "__jinja_exception__" in tb.tb_frame.f_globals:  # a frame that Jinja rewrote
            place = f"{code.co_filename}:{line}"
        tb = tb.tb_next
    return place
