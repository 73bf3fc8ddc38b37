"""What rules see: one message, its samples, and what each of them would be sent."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jinja2 import TemplateError

from vero_deliver.audience import Recipient, samples
from vero_deliver.check.chosen import Named, in_comments, in_toml
from vero_deliver.check.finding import Place
from vero_deliver.check.shown import Options, Sample, Shown, ShownEmail
from vero_deliver.check.uses import Use, uses
from vero_deliver.deliver import NO_DEVICE, Deliverer
from vero_deliver.errors import RenderError, VeroDeliverError
from vero_deliver.message import Message
from vero_deliver.plain import KeyPath
from vero_deliver.project import Project
from vero_deliver.render import About, Renderer
from vero_deliver.render.marks import Marks
from vero_deliver.render.templates import Templates
from vero_deliver.rendered import (
    ContentName,
    Rendered,
    RenderedEmail,
    RenderedPush,
    RenderedSms,
    Skipped,
)
from vero_deliver.source import Source
from vero_deliver.toml_lines import toml_lines

if TYPE_CHECKING:
    from vero_deliver.check.network import Network

R = TypeVar("R", bound=Rendered)


@dataclass(frozen=True, slots=True)
class Failure:
    """A content that could not be made for a sample."""

    sample: Sample
    content: ContentName
    error: RenderError


class Seen:
    """One message and everything that its samples would get; made on demand, and once."""

    def __init__(
        self,
        project: Project,
        renderer: Renderer,
        name: str,
        options: Options,
        about: About,
        network: Network | None = None,
    ) -> None:
        """Of the message of that id. What stands in the way of all else is `trouble`."""
        self._network = network
        self.project, self.renderer, self.id = project, renderer, name
        self.options, self._about = options, about
        self.folder: Path = project.folder(name)
        self.message = Message(id=name, title=name)
        self.samples: tuple[Sample, ...] = ()
        self.trouble: VeroDeliverError | None = None
        self.broken: list[tuple[str, Exception]] = []  # rules that broke
        try:
            self.message = project.message(name)
            people = samples(self.folder, declared=self.message.data)
            self.samples = tuple(self._sample(who) for who in people)
            _ = self._made
        except VeroDeliverError as error:
            self.trouble = error

    def _sample(self, who: Recipient) -> Sample:
        about = {**self._about, "data": who.data, "event": who.event, "who": who.label}
        language = self.renderer.language(self.message, who.user)
        return Sample(who.label, who, language, cast(About, about))

    @cached_property
    def emails(self) -> tuple[ShownEmail, ...]:
        """The email of every sample that gets one."""
        return tuple(
            ShownEmail(self, sample, made, key)
            for sample, key, made in self._made
            if isinstance(made, RenderedEmail)
        )

    @cached_property
    def pushes(self) -> tuple[Shown[RenderedPush], ...]:
        """The pushes of every sample: one for each device, or one for none."""
        found = list(self._of(RenderedPush))
        reached = {push.sample.label for push in found}
        for sample, key, made in self._made:
            if (
                isinstance(made, Skipped)
                and made.reason == NO_DEVICE
                and sample.label not in reached
            ):
                user = sample.recipient.user
                push = self.renderer.render(self.message, user, "push", **sample.about)
                if isinstance(push, RenderedPush):
                    found.append(Shown(self, sample, push, key))
        return tuple(found)

    @cached_property
    def texts(self) -> tuple[Shown[RenderedSms], ...]:
        """The text message of every sample that gets one."""
        return tuple(self._of(RenderedSms))

    @cached_property
    def failures(self) -> tuple[Failure, ...]:
        """What could not be made, and why."""
        _ = self._made
        return tuple(self._failures)

    def _of(self, kind: type[R]) -> Iterator[Shown[R]]:
        for sample, key, made in self._made:
            if isinstance(made, kind):
                yield Shown(self, sample, made, key)

    @cached_property
    def _made(self) -> list[tuple[Sample, str, Rendered | Skipped]]:
        deliverer = Deliverer(self.renderer)
        found: list[tuple[Sample, str, Rendered | Skipped]] = []
        self._failures: list[Failure] = []
        for sample in self.samples:
            user = sample.recipient.user
            for content, key, made in deliverer.render(self.message, user, **sample.about):
                if isinstance(made, RenderError):
                    self._failures.append(Failure(sample, content, made))
                else:
                    found.append((sample, key, made))
        return found

    def field(self, *path: str | int) -> Place:
        """Where a field of the message is written, or the nearest table around it."""
        value: Any = self.message
        for part in path:
            name = f"{part}_" if part == "from" else part
            if isinstance(value, Mapping):
                value = value.get(part)
            elif isinstance(value, tuple) and isinstance(part, int):
                value = value[part] if part < len(value) else None
            else:
                value = getattr(value, str(name), None)
        if isinstance(value, Source):
            return Place(value.file, value.line)
        lines = self._toml_lines
        for end in range(len(path), 0, -1):
            if path[:end] in lines:
                return Place(self.toml, lines[path[:end]])
        return Place(self.toml, 1)

    @property
    def toml(self) -> str:
        """How places name the message's own file."""
        return f"{self.project.messages.name}/{self.id}/message.toml"

    @cached_property
    def check_table(self) -> Mapping[str, Any]:
        """[check] of the message; empty where it has none, or cannot be read."""
        return in_toml(self._toml_text, self.toml)[0] if self._toml_text else {}

    @cached_property
    def comments(self) -> tuple[Named, ...]:
        """What comments in the message's files ignore."""
        files = {self.toml: self._toml_text}
        for source in self.sources:
            if source.file not in files:
                files[source.file] = str(source)
        return tuple(named for file, text in files.items() for named in in_comments(text, file))

    @cached_property
    def named(self) -> tuple[Named, ...]:
        """Every name of a rule that the message's files hold."""
        table = in_toml(self._toml_text, self.toml)[1] if self._toml_text else []
        return (*table, *self.comments)

    @cached_property
    def _toml_lines(self) -> Mapping[KeyPath, int]:
        return toml_lines(self._toml_text) if self._toml_text else {}

    @cached_property
    def _toml_text(self) -> str:
        """message.toml; empty where it is none, which is a trouble of its own."""
        try:
            text = (self.folder / "message.toml").read_text(encoding="utf-8-sig")
            tomllib.loads(text)
        except (OSError, ValueError, RecursionError):
            return ""
        return text

    @cached_property
    def twin(self) -> tuple[Renderer, Marks]:
        """A renderer whose HTML says where its elements are written, and those places."""
        return self.renderer.marked()

    @cached_property
    def unmended(self) -> tuple[Renderer, Marks]:
        """As twin, without the inliner, which would close and correct what it reads."""
        return self.renderer.marked(inliner="none")

    @property
    def network(self) -> Network:
        """How the network is asked, by rules that need `online`."""
        assert self._network is not None  # noqa: S101  # the engine runs them only then
        return self._network

    @cached_property
    def templates(self) -> Templates:
        """The project's templates, to be read."""
        return Templates(self.project.messages)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Every template text that the message is made of, files that its bodies read included."""
        try:
            return tuple(_sources(self.message, self.templates))
        except (VeroDeliverError, TemplateError):
            return ()  # which is `trouble`, and stops the other rules

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Every value that the templates ask for."""
        environment = self.templates.environment("text")
        return tuple(use for source in self.sources for use in uses(environment, source))


def _sources(message: Message, templates: Templates) -> Iterator[Source]:
    seen: set[tuple[str, int, str]] = set()
    contents = [getattr(message, content) for content in message.contents]
    for content in (*contents, message.tags, message.metadata):
        for text in texts_of(content):
            for source in [text, *_read_by(text, message, templates)]:
                key = (source.file, source.line, str(source))
                if key not in seen:
                    seen.add(key)
                    yield source


def texts_of(value: Any) -> Iterator[Source]:
    """The templates in a content, or in a part of one."""
    if isinstance(value, Source):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from texts_of(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            yield from texts_of(member)
    elif hasattr(value, "__struct_fields__"):
        for name in value.__struct_fields__:
            yield from texts_of(getattr(value, name))


def _read_by(text: Source, message: Message, templates: Templates) -> Iterator[Source]:
    if "{%" not in text and not text.file.endswith((".mjml", ".html")):
        return
    layout = ""
    if message.email and message.email.layout and text.file.endswith((".mjml", ".html")):
        layout = message.email.layout
        layout += "" if "." in layout else f".{text.file.rpartition('.')[2]}"
    for found in templates.written(text, layout)[1:]:
        if isinstance(found, Source):
            yield found
