"""One content as one sample gets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast

from vero_deliver.audience import Recipient
from vero_deliver.check.dom import Page
from vero_deliver.check.finding import Place
from vero_deliver.check.origin import Origins
from vero_deliver.message import Email, EmailVariant
from vero_deliver.render import About
from vero_deliver.rendered import Rendered, RenderedEmail
from vero_deliver.source import Source

if TYPE_CHECKING:
    from vero_deliver.check.seen import Seen

CLIENTS: Final = ("gmail", "outlook", "apple-mail", "yahoo")
R = TypeVar("R", bound=Rendered)


@dataclass(frozen=True, slots=True)
class Options:
    """What a check was asked for.

    clients: the mail clients that what is written is compared with. online: links, images and
    DNS are asked. spam: a local spam filter is. nameservers: whom to ask for DNS; none for the
    system's.
    """

    clients: Sequence[str] = CLIENTS
    online: bool = False
    spam: bool = False
    nameservers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample user. language: which of the message's languages they get it in."""

    label: str
    recipient: Recipient
    language: str
    about: About = field(repr=False)


@dataclass(frozen=True, eq=False)
class Shown(Generic[R]):
    """One content as one sample gets it. key: of the delivery, as a send derives it."""

    seen: Seen = field(repr=False)
    sample: Sample
    rendered: R
    key: str

    @property
    def about(self) -> About:
        """What it was rendered for."""
        return cast(About, {**self.sample.about, "key": self.key})

    def field(self, name: str) -> Place:
        """Where a field of the content is written: "body"."""
        return self.seen.field(self.rendered.content, name)


@dataclass(frozen=True, eq=False)
class ShownEmail(Shown[RenderedEmail]):
    """One email as one sample gets it."""

    @cached_property
    def page(self) -> Page:
        """Its HTML as a tree."""
        return Page(self.rendered.html)

    @cached_property
    def origins(self) -> Origins:
        """Where the author wrote the elements of the page."""
        return Origins(self)

    @cached_property
    def marked(self) -> Page | None:
        """The page once more, its elements marked with where they are written."""
        renderer, _ = self.seen.twin
        user = self.sample.recipient.user
        made = renderer.render(self.seen.message, user, "email", **self.about)
        return Page(made.html) if isinstance(made, RenderedEmail) else None

    @cached_property
    def written(self) -> str:
        """An HTML body as its templates print it, marked by `seen.unmended`; empty for MJML."""
        if not self.body or self.is_mjml:
            return ""
        renderer, _ = self.seen.unmended
        user = self.sample.recipient.user
        made = renderer.render(self.seen.message, user, "email", **self.about)
        return made.html if isinstance(made, RenderedEmail) else ""

    def field(self, name: str) -> Place:
        """Where a field is written, in this sample's language; "body" is the MJML or HTML."""
        if name == "body":
            body = self.body
            return (
                Place(body.file, body.line) if isinstance(body, Source) else Place(self.seen.toml)
            )
        language = self.sample.language
        variant = self.email.variants.get(language, EmailVariant())
        if getattr(variant, name, ""):
            return self.seen.field("email", "variants", language, name)
        return self.seen.field("email", name)

    @property
    def email(self) -> Email:
        """The content it was made of."""
        email = self.seen.message.email
        assert email is not None  # noqa: S101  # one was rendered
        return email

    @property
    def body(self) -> str:
        """What its body is written as; Source where it comes from a file."""
        variant = self.email.variants.get(self.sample.language, EmailVariant())
        base = variant if variant.mjml or variant.html else self.email
        return base.mjml or base.html

    @property
    def is_mjml(self) -> bool:
        """Whether the author writes MJML."""
        return bool(self.body) and self.body in self._bodies("mjml")

    def _bodies(self, name: str) -> tuple[str, ...]:
        bodies: tuple[Email | EmailVariant, ...] = (self.email, *self.email.variants.values())
        return tuple(getattr(body, name) for body in bodies)
