"""Templates compiled once per text, rendered for many; their errors name file and line."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from types import CodeType
from typing import Any, TypeVar, cast

import jinja2
from jinja2 import BaseLoader, Environment, Template, TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.meta import find_referenced_templates

from vero_deliver import speedups
from vero_deliver.errors import MessageError, RenderError
from vero_deliver.mime.chunks import Alternating, Chunks, Printed
from vero_deliver.plain import nearest
from vero_deliver.reading import ReadError, read_text
from vero_deliver.render.clean import clean, clean_pieces, is_clean
from vero_deliver.render.code import Groups, Variables, constants, groups
from vero_deliver.render.environment import Escape, Sandbox, make
from vero_deliver.render.located import located, syntax
from vero_deliver.render.marks import Marks
from vero_deliver.render.places import in_places
from vero_deliver.render.undefined import Abort, Policy
from vero_deliver.source import Source, where

_CACHE = 2_000  # compiled templates kept
_CHUNK = 100  # pieces, or groups of them, between two looks at how much was printed
_Key = TypeVar("_Key", bound=Hashable)
_Kept = TypeVar("_Kept")


class ProjectLoader(BaseLoader):
    """Files below one folder, and nothing else: no `..`, no absolute path, no symlink out."""

    def __init__(self, root: Path | None, marks: Marks | None = None) -> None:
        self.root, self.marks = root, marks

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
            if self.marks and not template.endswith(".css"):
                text = self.marks.put(environment, text, file, 1)
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
    marks: keeps where the elements of HTML are written, which are then marked; None for none.
    """

    def __init__(
        self,
        root: Path | None = None,
        *,
        policy: Policy = "strict",
        max_output: int = 2_000_000,
        marks: Marks | None = None,
    ) -> None:
        self._loader = ProjectLoader(root, marks)
        self.marks = marks
        self._policy: Policy = policy
        self._max_output = max_output
        self._environments: dict[Escape, Sandbox] = {}
        self._ready: dict[tuple[Escape, str, str, str], Template | str] = {}
        self._chunks: dict[Template, Chunks] = {}
        self._expressions: dict[tuple[str, str], Template | None] = {}

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
            raise syntax(error, "", "", environment) from None

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
        found = self._run(text, variables, escape, field, layout)
        return found if isinstance(found, str) else "".join(found[1])

    def printed(
        self, text: str, variables: Mapping[str, Any], *, escape: Escape, field: str
    ) -> str | Printed:
        """As render, in pieces whose constants are encoded once."""
        found = self._run(text, variables, escape, field, "")
        return found if isinstance(found, str) else Printed(found[1], self.chunks(found[0]))

    def chunks(self, template: Template) -> Chunks:
        """The constants of a template, encoded."""
        found = self._chunks.get(template)
        return found or _keep(self._chunks, template, Chunks(constants(template)))

    def _run(
        self, text: str, variables: Mapping[str, Any], escape: Escape, field: str, layout: str
    ) -> str | tuple[Template, list[str]]:
        file = text.file if isinstance(text, Source) else field
        ready = self._ready.get((escape, text, file, layout))
        if ready is None:
            ready = self._prepare(text, escape, file, layout)
        if isinstance(ready, str):
            return ready
        try:
            return ready, self.pieces(ready, variables, place=where(text) or field)
        except (Abort, RenderError, MessageError):
            raise
        except Exception as error:  # noqa: BLE001  # templates raise anything
            raise located(error, text, field, variables, ready) from None

    def pieces(
        self, template: Template, variables: Mapping[str, Any], *, place: str = ""
    ) -> list[str]:
        """What the template prints, piece by piece, cleaned as render() cleans the whole.

        Constants come as the strings that `code.constants` lists. Raises RenderError, with
        `place`, where the output is too long; else what the template raises, its traceback
        naming template lines.
        """
        grouped = groups(template)
        pieces: list[str]
        if grouped and grouped.program and type(variables) is dict:
            pieces, most = Alternating(), self._max_output
            clean = grouped.program.run(variables, pieces, most)
            if clean is not None:
                return pieces if clean and grouped.clean else self._cleaned(template, pieces)
        environment, globals_ = template.environment, template.globals
        context = Variables(environment, variables, template.name, template.blocks, globals_)
        try:
            if grouped:
                pieces, ready = self._alternating(grouped, context, place)
            else:
                pieces, ready = self._bounded(template.root_render_func(context), place), False
        except Exception:  # noqa: BLE001  # raised again, its traceback rewritten
            environment.handle_exception()
        return pieces if ready else self._cleaned(template, pieces)

    @staticmethod
    def _cleaned(template: Template, pieces: list[str]) -> list[str]:
        return clean_pieces(pieces, cast(Sandbox, template.environment).known)

    def _alternating(
        self, grouped: Groups, context: Variables, place: str
    ) -> tuple[Alternating, bool]:
        """The pieces, and whether they are clean."""
        pieces, ready = Alternating(), grouped.clean
        run, left, exact = grouped.run(context), self._max_output, False
        if speedups.compiled:
            printed, clean = speedups.compiled.collect(run, pieces, self._max_output)
            if printed > self._max_output:
                raise self._too_long(place)
            return pieces, ready and clean
        while chunk := list(islice(run, _CHUNK)):
            added = list(chain.from_iterable(chunk))
            pieces += added
            values = "".join(added[1::2])
            if exact:
                left -= sum(map(len, added))
            else:  # at most so many; hardly any template needs more than this
                left -= len(values) + grouped.longest * len(added)
            if left < 0 and not exact:
                left, exact = self._max_output - sum(map(len, pieces)), True
            if left < 0:
                raise self._too_long(place)
            ready = ready and is_clean(values)
        return pieces, ready

    def _bounded(self, run: Iterator[str], place: str) -> list[str]:
        pieces: list[str] = []
        left = self._max_output
        while chunk := list(islice(run, _CHUNK)):
            left -= sum(map(len, chunk))
            if left < 0:
                raise self._too_long(place)
            pieces += chunk
        return pieces

    def _too_long(self, place: str) -> RenderError:
        return RenderError(f"prints more than {self._max_output:,} characters", where=place)

    def value(self, text: str, variables: Mapping[str, Any], *, field: str) -> Any:
        """As render, unescaped; but a text that is one `{{ expression }}` gives that very value."""
        file = text.file if isinstance(text, Source) else field
        key = (text, file)
        if key not in self._expressions:
            _keep(self._expressions, key, self._expression(text, file))
        expression = self._expressions[key]
        if expression is None:
            return self.render(text, variables, escape="text", field=field)
        try:
            value = _result(expression, variables)
            return self.strict(value) if isinstance(value, jinja2.Undefined) else value
        except (Abort, RenderError, MessageError):
            raise
        except Exception as error:  # noqa: BLE001  # templates raise anything
            raise located(error, text, field, variables, expression) from None

    @staticmethod
    def strict(value: jinja2.Undefined) -> str:
        """What the undefined policy prints for it, or its error."""
        return str(value)

    def compiled(self, source: str, *, escape: Escape, name: str) -> Template:
        """A text compiled for pieces(), not kept. Raises TemplateSyntaxError as Jinja does.

        name: its file name in tracebacks and errors.
        """
        return self._template(self.environment(escape), source, None, name)

    def _prepare(self, text: str, escape: Escape, file: str, layout: str) -> Template | str:
        """The text compiled, or itself where it has no constructs."""
        ready: Template | str
        if layout or _has_constructs(text) or (self.marks and escape == "html"):
            ready = self._compile(text, escape, file, layout)
        else:
            ready = str(clean(text))
        return _keep(self._ready, (escape, text, file, layout), ready)

    def _compile(self, text: str, escape: Escape, file: str, layout: str) -> Template:
        source = str(text)
        environment = self.environment(escape)
        if escape == "html":
            if self.marks:
                line = text.line if isinstance(text, Source) else 1
                source = self.marks.put(environment, source, file, line)
            source = in_places(environment, source)
        if layout:  # on one line, so that line numbers stay true
            source = (
                f'{{% extends "_layouts/{layout}" %}}{{% block content %}}{source}{{% endblock %}}'
            )
        try:
            return self._template(environment, source, _name(text), file)
        except TemplateSyntaxError as error:
            raise syntax(error, text, file, environment) from None

    def _expression(self, text: str, file: str) -> Template | None:
        """The value of a text that is one expression, as a template that sets `result`."""
        environment = self.environment("text")
        if not _is_expression(text, environment):
            return None
        try:
            [output] = environment.parse(str(text)).find_all(nodes.Output)
            [value] = [node for node in output.nodes if not isinstance(node, nodes.TemplateData)]
            result = nodes.Name("result", "store", lineno=value.lineno)
            tree = nodes.Template([nodes.Assign(result, value, lineno=value.lineno)], lineno=1)
            return self._template(environment, tree, _name(text), file)
        except TemplateSyntaxError as error:
            raise syntax(error, text, file, environment) from None

    @staticmethod
    def _template(
        environment: Sandbox, source: str | nodes.Template, name: str | None, file: str
    ) -> Template:
        code: CodeType = environment.compile(source, name=name, filename=file)
        return Template.from_code(environment, code, environment.globals)


def _result(expression: Template, variables: Mapping[str, Any]) -> Any:
    found = groups(expression)
    if found and found.program and type(variables) is dict:
        value = found.program.value(variables)
        if value is not NotImplemented:
            return value
    names = expression.globals
    context = Variables(expression.environment, variables, None, {}, names)
    try:
        for _ in expression.root_render_func(context):
            pass
    except Exception:  # noqa: BLE001  # raised again, its traceback rewritten
        expression.environment.handle_exception()
    return context.vars["result"]


def _is_expression(text: str, environment: Sandbox) -> bool:
    stripped = text.strip()
    if not (stripped.startswith("{{") and stripped.endswith("}}")):
        return False
    try:
        kinds = [kind for _, kind, _ in environment.lex(stripped)]
    except TemplateSyntaxError:
        return False  # render() reports it, with its place
    return kinds[-1] == "variable_end" and kinds.count("variable_begin") == 1


def _has_constructs(text: str) -> bool:
    return "{{" in text or "{%" in text or "{#" in text


def _name(text: str) -> str | None:
    """What Jinja calls a template: its path below the root."""
    return text.file.partition("/")[2] if isinstance(text, Source) else None


def _keep(cache: dict[_Key, _Kept], key: _Key, value: _Kept) -> _Kept:
    if len(cache) >= _CACHE:
        cache.clear()
    cache[key] = value
    return value
