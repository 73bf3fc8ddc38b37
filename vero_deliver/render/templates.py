"""Templates compiled once per text, rendered for many; their errors name file and line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from types import CodeType, TracebackType
from typing import Any

import jinja2
from jinja2 import BaseLoader, Environment, Template, TemplateNotFound, TemplateSyntaxError
from jinja2.meta import find_referenced_templates

from vero_deliver.errors import MessageError, RenderError
from vero_deliver.plain import nearest
from vero_deliver.reading import ReadError, read_text
from vero_deliver.render.clean import clean
from vero_deliver.render.environment import Escape, Sandbox, make
from vero_deliver.render.places import in_places
from vero_deliver.render.syntax import explained, with_near
from vero_deliver.render.undefined import Abort, Policy
from vero_deliver.source import Source, where

_CACHE = 2_000  # compiled templates kept


class ProjectLoader(BaseLoader):
    """Files below one folder, and nothing else: no `..`, no absolute path, no symlink out."""

    def __init__(self, root: Path | None) -> None:
        self.root = root

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        if self.root is None:
            raise TemplateNotFound(
                template, f"{template!r} cannot be read: this renderer has no folder of templates"
            )
        path = self.root / PurePosixPath(template)
        inside = path.resolve().is_relative_to(self.root.resolve())
        personal = "samples" in PurePosixPath(template).parts  # a name may come from data
        if not inside or personal or "\\" in template or not path.is_file():
            raise TemplateNotFound(
                template,
                f"{template!r} is not a template below {self.root.name}/"
                f"{nearest(template, self.names())}",
            )
        changed, file = path.stat().st_mtime_ns, f"{self.root.name}/{template}"
        try:
            text = read_text(path, file)
        except ReadError as wrong:
            raise MessageError(wrong.detail, where=wrong.where) from None
        if getattr(environment, "escapes_html", False):
            text = in_places(environment, text, css=template.endswith(".css"))
        return text, file, lambda: path.is_file() and path.stat().st_mtime_ns == changed

    def names(self, folder: str = "") -> list[str]:
        """The files that templates may read, below a folder of the root; no samples."""
        start = self.root / folder if self.root else None
        found = start.rglob("*") if start and start.is_dir() else ()
        names = (path.relative_to(self.root or "") for path in found if path.is_file())
        return sorted(name.as_posix() for name in names if "samples" not in name.parts)


class Templates:
    """Every template of one project.

    root: folder that includes, layouts and imports are read from; None for none.
    max_output: characters that one template may print.
    """

    def __init__(
        self, root: Path | None = None, *, policy: Policy = "strict", max_output: int = 2_000_000
    ) -> None:
        self._loader = ProjectLoader(root)
        self._policy: Policy = policy
        self._max_output = max_output
        self._environments: dict[Escape, Sandbox] = {}
        self._compiled: dict[tuple[Escape, str, str, str], Template] = {}

    def environment(self, escape: Escape) -> Sandbox:
        """The environment for one way of escaping, made when first needed."""
        if escape not in self._environments:
            self._environments[escape] = make(escape, self._policy, self._loader)
        return self._environments[escape]

    def names(self, folder: str) -> list[str]:
        """The templates in a folder below the root."""
        return self._loader.names(folder)

    def text(self, name: str) -> Source:
        """A template file as it is written."""
        text, file, _ = self._loader.get_source(self.environment("text"), name)
        return Source(text, file)

    def file(self, name: str, escape: Escape) -> Template:
        """A template file, compiled. Raises MessageError as render does."""
        environment = self.environment(escape)
        try:
            return environment.get_template(name)
        except TemplateSyntaxError as error:
            raise _syntax(error, "", "", environment) from None

    def written(self, text: str, layout: str = "") -> list[str]:
        """The text, and the files that it reads by name: layout, includes and imports."""
        found, waiting = [text], [f"_layouts/{layout}"] if layout else []
        seen = set(waiting)
        while True:
            for name in self._referenced(found[-1]):
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
            if not waiting:
                return found
            found.append(self.text(waiting.pop(0)))

    def _referenced(self, text: str) -> list[str]:
        environment = self.environment("html")
        parent = text.file.partition("/")[2] if isinstance(text, Source) else ""
        names = [name for name in find_referenced_templates(environment.parse(str(text))) if name]
        joined = [environment.join_path(name, parent) for name in names]
        return [name for name in joined if name in self._loader.names()]

    def path(self, name: str) -> Path:
        """Where a template's file is, or would be."""
        return (self._loader.root or Path()) / PurePosixPath(name)

    def compiled(self, source: str, *, escape: Escape, name: str) -> Template:
        environment = self.environment(escape)
        code: CodeType = environment.compile(source, name=None, filename=name)
        return Template.from_code(environment, code, environment.globals)

    def pieces(self, template: Template, variables: Mapping[str, Any]) -> list[str]:
        return [clean(x) for x in template.root_render_func(template.new_context(dict(variables)))]

    def render(
        self,
        text: str,
        variables: Mapping[str, Any],
        *,
        escape: Escape,
        field: str,
        layout: str = "",
    ) -> str:
        """The text for these variables, cleaned of what no mail may carry.

        field: what to call it in errors where it was not read from a file.
        layout: name of a file in _layouts/ whose block `content` the text fills.
        Raises RenderError with file and line, MessageError for a syntax error, Abort.
        """
        if not layout and not _has_constructs(text):
            return clean(text)
        template = self._template(text, escape, field, layout)
        environment = self.environment(escape)
        with _located(text, field, variables, template.filename or "", environment):
            return clean(self._bounded(template, variables, where(text) or field))

    def value(self, text: str, variables: Mapping[str, Any], *, field: str) -> Any:
        """As render, unescaped; but a text that is one `{{ expression }}` gives that very value."""
        expression = self._single_expression(text)
        if expression is None:
            return self.render(text, variables, escape="text", field=field)
        environment = self.environment("text")
        with _located(text, field, variables, "<template>", environment):
            compiled = environment.compile_expression(expression, undefined_to_none=False)
            value = compiled(variables)  # by keyword, data named `self` would clash
            return self.strict(value) if isinstance(value, jinja2.Undefined) else value

    @staticmethod
    def strict(value: jinja2.Undefined) -> str:
        """What the undefined policy prints for it, or its error."""
        return str(value)

    def _single_expression(self, text: str) -> str | None:
        stripped = text.strip()
        if not (stripped.startswith("{{") and stripped.endswith("}}")):
            return None
        try:
            tokens = list(self.environment("text").lex(stripped))
        except TemplateSyntaxError:
            return None  # render() reports it, with its place
        kinds = [kind for _, kind, _ in tokens]
        if kinds[-1] != "variable_end" or kinds.count("variable_begin") != 1:
            return None
        return "".join(value for _, _, value in tokens[1:-1])

    def _template(self, text: str, escape: Escape, field: str, layout: str) -> Template:
        filename = text.file if isinstance(text, Source) else field
        key = (escape, str(text), filename, layout)
        if key not in self._compiled:
            if len(self._compiled) >= _CACHE:
                self._compiled.clear()
            self._compiled[key] = self._compile(text, escape, filename, layout)
        return self._compiled[key]

    def _compile(self, text: str, escape: Escape, filename: str, layout: str) -> Template:
        environment = self.environment(escape)
        source = str(text)
        if escape == "html":
            source = in_places(environment, source)
        if layout:  # on one line, so that line numbers stay true
            source = (
                f'{{% extends "_layouts/{layout}" %}}{{% block content %}}{source}{{% endblock %}}'
            )
        name = filename.partition("/")[2] if isinstance(text, Source) else None
        try:
            code: CodeType = environment.compile(source, name=name, filename=filename)
        except TemplateSyntaxError as error:
            raise _syntax(error, text, filename, environment) from None
        return Template.from_code(environment, code, environment.globals)

    def _bounded(self, template: Template, variables: Mapping[str, Any], place: str) -> str:
        parts: list[str] = []
        left = self._max_output
        for part in template.generate(variables):
            left -= len(part)
            if left < 0:
                raise RenderError(f"prints more than {self._max_output:,} characters", where=place)
            parts.append(part)
        return "".join(parts)


class _located:  # noqa: N801  # reads as a verb at its only two places
    """Turns whatever a template raises into a RenderError that names file and line."""

    def __init__(
        self,
        text: str,
        field: str,
        variables: Mapping[str, Any],
        filename: str,
        environment: Environment,
    ) -> None:
        self.text, self.field, self.variables, self.filename = text, field, variables, filename
        self.environment = environment

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception) or isinstance(
            error, (Abort, RenderError, MessageError)
        ):
            return
        if isinstance(error, TemplateSyntaxError):  # in an included file, or in an expression
            raise _syntax(error, self.text, self.filename, self.environment) from None
        if isinstance(error, TemplateNotFound):
            raise MessageError(error.message or str(error), where=self._where(tb)) from None
        raise RenderError(self._words(error), where=self._where(tb)) from None

    def _words(self, error: Exception) -> str:
        words = str(error) or type(error).__name__
        if isinstance(error, jinja2.UndefinedError):
            name = words.partition("there is no ")[2].strip("'")
            return words + (nearest(name, self.variables) if name.isidentifier() else "")
        if isinstance(error, RecursionError):
            return "templates include or call each other without end"
        return with_near(words, self.environment)

    def _where(self, tb: TracebackType | None) -> str:
        """The innermost template line of the traceback, in the author's own file."""
        place = where(self.text) or self.field
        while tb is not None:
            code, line = tb.tb_frame.f_code, tb.tb_lineno
            if code.co_filename == self.filename:
                place = where(self.text, line) or f"{self.field}:{line}"
            elif "__jinja_exception__" in tb.tb_frame.f_globals:  # a frame that Jinja rewrote
                place = f"{code.co_filename}:{line}"
            tb = tb.tb_next
        return place


def _syntax(
    error: TemplateSyntaxError, text: str, filename: str, environment: Environment
) -> MessageError:
    own = error.filename in {None, filename} or error.name is None
    words, line = explained(error, environment)
    place = (where(text, line) or f"{filename}:{line}") if own else f"{error.filename}:{line}"
    return MessageError(f"template syntax: {words}", where=place)


def _has_constructs(text: str) -> bool:
    return "{{" in text or "{%" in text or "{#" in text
