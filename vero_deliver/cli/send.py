"""vero-deliver send."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import click

from vero_deliver.audience import Recipient
from vero_deliver.cli import INTERRUPTED, options
from vero_deliver.cli.printing import as_json as json_text
from vero_deliver.cli.recipients import about, for_sending
from vero_deliver.cli.session import Session
from vero_deliver.deliver import Deliverer, Delivery, State
from vero_deliver.errors import Deferred, DeliveryError, RenderError
from vero_deliver.message import Message
from vero_deliver.project import Project
from vero_deliver.render import About
from vero_deliver.rendered import ContentName, RenderedEmail, Skipped
from vero_deliver.user import User

HANDFUL = 5  # more than this many get a progress bar
TEMPORARY = 75  # EX_TEMPFAIL of sysexits.h

ADVICE: dict[State, str] = {
    "unrendered": "Nothing was sent to them: correct the template or the data.",
    "gone": "The address does not exist: stop sending to it.",
    "refused": "Final for this recipient: correct the address or the content; do not retry as is.",
    "deferred": "Not accepted: try again later. The same key keeps it one delivery.",
    "misconfigured": "Nothing was sent: correct the channel's settings, then send again.",
    "uncertain": "It may have arrived: look for it before you send it again.",
}


@click.command("send")
@options.message_argument
@options.to_option
@options.data_option
@options.channel_option
@click.option("--dry-run", is_flag=True, help="Do everything but hand it to the channel.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask. Needed when there is no terminal.")
@options.key_option
@options.now_option
@options.json_option
@click.pass_context
def command(
    ctx: click.Context,
    message: str,
    to: str | None,
    data: str | None,
    channels: Sequence[ContentName],
    dry_run: bool,
    yes: bool,
    key: str,
    now: datetime | None,
    as_json: bool,
) -> None:
    """Send a message to one user, or a handful, now.

    Samples are never sent to. The environment dev writes to the folder outbox/.

    \b
      vero-deliver send order-receipt --to ada@example.com --data order.json
      vero-deliver --env prod send newsletter --data users.csv --yes

    Exits 0 when all was accepted or skipped, 1 when some failed for good, 2 on wrong usage or
    settings, 75 when it is worth trying again later.
    """
    session: Session = ctx.obj
    project = session.loaded
    loaded = project.message(message)
    contents = channels or loaded.contents
    people = list(for_sending(loaded, to, data))
    for content in contents:
        session.step(f"{content} through {project.carrier(content)}")
    if key and len(people) > 1:
        raise click.UsageError(f"--key names one user's delivery; there are {len(people)} users")
    deliverer = project.deliverer(contents)
    work = Work(session, deliverer, loaded, contents, people, key, now)
    if dry_run:
        ctx.exit(work.rehearse(as_json=as_json))
    if not yes and not _agreed(work, project, asked=data != "-"):
        ctx.exit(1)
    interrupted = work.run()
    work.report(as_json=as_json)
    ctx.exit(INTERRUPTED if interrupted else exit_code(work.deliveries))


@dataclass
class Work:
    """One call of send: whom, what, and what became of it so far."""

    session: Session
    deliverer: Deliverer
    message: Message
    contents: Sequence[ContentName]
    people: list[Recipient]
    key: str
    now: datetime | None
    deliveries: list[Delivery] = field(default_factory=list)
    reached: int = 0  # people whose deliveries are all done

    def run(self) -> bool:
        """Send to everybody; True where the user interrupted it. What was done stays known."""
        try:
            asyncio.run(self._send_all())
        except KeyboardInterrupt:
            return True
        return False

    async def _send_all(self) -> None:
        async with self.deliverer:
            with self._progress() as people:
                for who in people:
                    self.session.step(f"sending to {who.label}")
                    done = await self.deliverer.send(
                        self.message, who.user, contents=self.contents, **self._about(who)
                    )
                    self.deliveries += done
                    self.reached += 1
                    if any(delivery.state == "misconfigured" for delivery in done):
                        return  # all others would fail alike, and a server might lock us out

    def _about(self, who: Recipient) -> About:
        return about(who, self.key, self.now)

    def _progress(self) -> AbstractContextManager[Iterable[Recipient]]:
        wanted = len(self.people) > HANDFUL and sys.stderr.isatty() and not self.session.quiet
        if not wanted:
            return nullcontext(self.people)
        return click.progressbar(self.people, label="Sending", file=sys.stderr, show_pos=True)

    def rehearse(self, *, as_json: bool) -> int:
        """Render everything, hand over nothing. 0, or 1 where something cannot be rendered."""
        rows = [row for who in self.people for row in self._rehearsed(who)]
        if as_json:
            click.echo(json_text(rows), nl=False)
        for row in [] if as_json else rows:
            size = f", {row['bytes']:,} bytes" if row["bytes"] else ""
            self.session.say(
                f"{row['state']}: {row['content']} to {row['to']}{size} {row['detail']}"
            )
        self.session.say("Nothing was sent (--dry-run).")
        return int(any(row["state"] == "unrendered" for row in rows))

    def _rehearsed(self, who: Recipient) -> Iterator[dict[str, Any]]:
        found = self.deliverer.render(
            self.message, who.user, contents=self.contents, **self._about(who)
        )
        for content, key, rendered in found:
            row = {"key": key, "content": content, "to": _reached(who.user, content)}
            match rendered:
                case Skipped(reason=reason):
                    yield {**row, "state": "skipped", "detail": reason, "bytes": 0}
                case RenderError():
                    yield {**row, "state": "unrendered", "detail": str(rendered), "bytes": 0}
                case _:
                    size = len(rendered.mime(key)) if isinstance(rendered, RenderedEmail) else 0
                    yield {**row, "state": "ready", "detail": f"({key})", "bytes": size}

    def report(self, *, as_json: bool) -> None:
        """What became of each: JSON on stdout, or lines for people on stderr."""
        if as_json:
            click.echo(json_text([_row(delivery) for delivery in self.deliveries]), nl=False)
        troubled = {"skipped", *ADVICE}
        few = len(self.deliveries) <= 2 * HANDFUL
        for delivery in self.deliveries:
            if few or delivery.state in troubled:
                self.session.say(_line(delivery))
        states = Counter(delivery.state for delivery in self.deliveries)
        for state, advice in ADVICE.items():
            if states[state]:
                click.echo(f"{state}: {advice}", err=True)
        left = len(self.people) - self.reached
        counts = [f"{count} {state}" for state, count in states.items()]
        counts += [f"{left} not tried"] if left else []
        self.session.say(", ".join(counts) or "Nobody to send to.")


def exit_code(deliveries: Iterable[Delivery]) -> int:
    """0 accepted or skipped, 1 failed for good or unknown, 2 settings, 75 try again later."""
    states = {delivery.state for delivery in deliveries}
    if "misconfigured" in states:
        return 2
    if states & {"unrendered", "gone", "refused", "uncertain"}:
        return 1
    return TEMPORARY if "deferred" in states else 0


def _agreed(work: Work, project: Project, *, asked: bool) -> bool:
    """True where the person at the terminal says yes. Raises UsageError where there is none."""
    if not (asked and sys.stdin.isatty()):
        raise click.UsageError("there is no terminal to ask at: pass --yes to send, or --dry-run")
    through = ", ".join(f"{name} through {project.carrier(name)}" for name in work.contents)
    people = work.people[0].label if len(work.people) == 1 else f"{len(work.people)} people"
    return click.confirm(f"Send {work.message.id} to {people}: {through}?", err=True)


def _reached(user: User, content: ContentName) -> str:
    where = {"email": user.email, "sms": user.phone}.get(content, "")
    return where or user.id or user.email or "nobody"


def _line(delivery: Delivery) -> str:
    who = _reached(delivery.user, delivery.content)
    return f"{delivery.state}: {delivery.content} to {who}: {delivery.detail}"


def _row(delivery: Delivery) -> dict[str, Any]:
    outcome, receipt = delivery.outcome, delivery.receipt
    return {
        "key": delivery.key,
        "content": delivery.content,
        "to": _reached(delivery.user, delivery.content),
        "state": delivery.state,
        "channel": receipt.channel if receipt else getattr(outcome, "channel", None),
        "provider_id": receipt.provider_id if receipt else None,
        "accepted_at": receipt.accepted_at.isoformat() if receipt else None,
        "code": outcome.code if isinstance(outcome, DeliveryError) else None,
        "retry_after": outcome.retry_after if isinstance(outcome, Deferred) else None,
        "detail": delivery.detail,
    }
