"""Which contents of a message a command is about, and why one of them comes to nothing."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final, TypeVar

from vero_deliver.audience import Recipient
from vero_deliver.deliver import Deliverer
from vero_deliver.errors import ConfigError
from vero_deliver.message import Message
from vero_deliver.plain import quoted
from vero_deliver.project import Project
from vero_deliver.reading import display
from vero_deliver.rendered import ContentName, Skipped

Outcome = TypeVar("Outcome")

_NO_CHANNEL: Final = "no channel carries"  # as Deliverer.send says it
_REACHED_BY: Final[dict[ContentName, str]] = {"email": "email", "sms": "phone"}


def contents_of(message: Message, chosen: Sequence[ContentName] = ()) -> Sequence[ContentName]:
    """The chosen contents, else all. Raises ConfigError where the message has not got one."""
    if not message.contents:
        raise ConfigError(
            f"{message.id} has no contents; write [email], [push], [sms] or [http] into its "
            "message.toml"
        )
    for content in chosen:
        if content not in message.contents:
            has = ", ".join(message.contents)
            raise ConfigError(f"{message.id} has no {content} content; it has {has}")
    return chosen or message.contents


def carried(
    project: Project, deliverer: Deliverer, contents: Sequence[ContentName]
) -> list[ContentName]:
    """The contents that have a channel. Raises ConfigError where none has."""
    found: list[ContentName] = [content for content in contents if content in deliverer.channels]
    if not found:
        raise ConfigError(
            f"{display(project.config.file)}: {_NO_CHANNEL} {' or '.join(contents)} "
            f"(env {project.env}); name one in [env.{project.env}]"
        )
    return found


def told(
    outcome: Outcome, content: ContentName, who: Recipient, project: Project, deliverer: Deliverer
) -> Outcome | Skipped:
    """The outcome, or why nothing goes to them, in the words of this project."""
    if isinstance(outcome, Skipped) and not outcome.reason.startswith(_NO_CHANNEL):
        return explained(outcome, content, who)
    if content not in deliverer.channels and not isinstance(outcome, Exception):
        return Skipped(f"{_NO_CHANNEL} {content} (env {project.env})")
    return outcome


def explained(outcome: Outcome, content: ContentName, who: Recipient) -> Outcome | Skipped:
    """The outcome; where somebody cannot be reached, with the field that was misspelt."""
    if not isinstance(outcome, Skipped):
        return outcome
    return Skipped(_reason(outcome, content, who))


def _reason(skipped: Skipped, content: ContentName, who: Recipient) -> str:
    field = _REACHED_BY.get(content, "")
    user = who.user
    if not skipped.reason.startswith("the user has no ") or not field or getattr(user, field):
        return skipped.reason
    if field in who.data:
        return f"{skipped.reason}; `{field}` belongs inside `user`"
    names = {name.lower(): name for name in (*user.attributes, *who.data)}
    near = difflib.get_close_matches(field, names, n=1, cutoff=0.75)
    hint = f"; it has {quoted(names[near[0]])}, did you mean {field!r}?" if near else ""
    return f"{skipped.reason}{hint}"
