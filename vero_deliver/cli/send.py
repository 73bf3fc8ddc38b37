"""vero-deliver send."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import click

from vero_deliver.audience import Recipient
from vero_deliver.cli import INTERRUPTED, options
from vero_deliver.cli.contents import carried, contents_of, told
from vero_deliver.cli.outcomes import ADVICE, foreseen, line, reached, row, summed
from vero_deliver.cli.printing import as_json as json_text
from vero_deliver.cli.recipients import about, for_sending
from vero_deliver.cli.repeats import Repeats
from vero_deliver.cli.session import Session
from vero_deliver.deliver import Deliverer
from vero_deliver.delivery import Delivery
from vero_deliver.errors import DataError
from vero_deliver.message import Message
from vero_deliver.project import Project
from vero_deliver.render import About
from vero_deliver.rendered import ContentName, Skipped

HANDFUL = 5  # more than this many get a progress bar
FAILED = {
    "unrendered", "gone", "refused", "uncertain", "bounced", "complained", "expired", "cancelled",
}  # fmt: skip
TEMPORARY = 75  # EX_TEMPFAIL of sysexits.h


@click.command("send")
@options.message_argument
@options.send_to_option
@options.send_data_option
@options.channel_option
@click.option("--dry-run", is_flag=True, help="Do everything but hand it to the channel.")
@click.option("--enqueue", is_flag=True, help="Only record it; `vero-deliver work` sends it.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask. Needed when there is no terminal.")
@options.key_option
@options.now_option
@options.json_option
@click.pass_context
def command(
    ctx: click.Context,
    message: str,
    to: Sequence[str],
    data: str | None,
    channels: Sequence[ContentName],
    dry_run: bool,
    enqueue: bool,
    yes: bool,
    key: str,
    now: datetime | None,
    as_json: bool,
) -> None:
    """Send a message to one user, or a handful, now.

    Samples are never sent to. The environment dev writes to the folder captured/.

    \b
      vero-deliver send order-receipt --to ada@example.com --data order.json
      vero-deliver --env prod send newsletter --data users.csv --yes

    Exits 0 when all was accepted, enqueued or skipped, 1 when some failed for good, 2 on wrong
    usage or settings, 75 when it is worth trying again later.
    """
    session: Session = ctx.obj
    project = session.loaded
    if enqueue:
        session.need_outbox()
    loaded = project.message(message)
    contents = contents_of(loaded, channels)
    people = for_sending(session.loaded, loaded, to, data)
    for content in contents:
        session.step(f"{content} through {project.carrier(content)}")
    if key and len(people) > 1:
        raise click.UsageError(f"--key names one user's delivery; there are {len(people)} users")
    deliverer = project.deliverer(contents)
    through = carried(project, deliverer, contents)
    work = Work(session, project, deliverer, loaded, contents, people, key, now, enqueue)
    if dry_run:
        ctx.exit(work.rehearse(as_json=as_json))
    if not yes and not _agreed(work, through, asked=data != "-"):
        ctx.exit(1)
    interrupted = work.run()
    work.report(as_json=as_json)
    new = [one for one in work.deliveries if not (enqueue and one.state == "queued")]
    ctx.exit(INTERRUPTED if interrupted else exit_code(new))


@dataclass
class Work:
    """One call of send: whom, what, and what became of it so far."""

    session: Session
    project: Project
    deliverer: Deliverer
    message: Message
    contents: Sequence[ContentName]
    people: list[Recipient]
    key: str
    now: datetime | None
    enqueue: bool = False
    deliveries: list[Delivery] = field(default_factory=list)
    reached: int = 0  # people whose deliveries are all done

    def __post_init__(self) -> None:
        self._repeats = Repeats(self.message)

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
                    fresh, done = self._repeats.sort(who, self.contents)
                    if fresh:
                        done += await self._send(who, fresh)
                    self.deliveries += [self._told(delivery, who) for delivery in done]
                    self.reached += 1
                    if any(delivery.state == "misconfigured" for delivery in done):
                        return  # all others would fail alike, and a server might lock us out

    async def _send(self, who: Recipient, contents: Sequence[ContentName]) -> list[Delivery]:
        its = self._about(who)
        if not self.enqueue:
            return await self.deliverer.send(self.message, who.user, contents=contents, **its)
        try:
            return await self.deliverer.enqueue(self.message, who.user, contents=contents, **its)
        except DataError as error:
            named = self.deliverer.render(self.message, who.user, contents=contents, **its)
            return [Delivery(key, name, who.user, error) for name, key, _ in named]

    def _about(self, who: Recipient) -> About:
        return about(who, self.key, self.now)

    def _told(self, delivery: Delivery, who: Recipient) -> Delivery:
        outcome = told(delivery.outcome, delivery.content, who, self.project, self.deliverer)
        return replace(delivery, outcome=outcome)

    def _progress(self) -> AbstractContextManager[Iterable[Recipient]]:
        wanted = len(self.people) > HANDFUL and sys.stderr.isatty() and not self.session.quiet
        if not wanted:
            return nullcontext(self.people)
        return click.progressbar(self.people, label="Sending", file=sys.stderr, show_pos=True)

    def rehearse(self, *, as_json: bool) -> int:
        """Render everything, hand over nothing. 0, or 1 where something cannot be rendered."""
        rows = [one for who in self.people for one in self._rehearsed(who)]
        if as_json:
            click.echo(json_text(rows), nl=False)
        for one in [] if as_json else rows:
            self.session.say(line(one["state"], one["content"], one["to"], one["detail"]))
        self.session.say(summed(one["state"] for one in rows))
        self.session.say("Nothing was sent (--dry-run).")
        return int(any(one["state"] == "unrendered" for one in rows))

    def _rehearsed(self, who: Recipient) -> Iterator[dict[str, Any]]:
        fresh, again = self._repeats.sort(who, self.contents)
        for one in again:
            yield foreseen(one.key, one.content, who.user, Skipped(one.detail))
        if not fresh:
            return
        found = self.deliverer.render(self.message, who.user, contents=fresh, **self._about(who))
        for content, key, rendered in found:
            outcome = told(rendered, content, who, self.project, self.deliverer)
            yield foreseen(key, content, who.user, outcome)

    def report(self, *, as_json: bool) -> None:
        """What became of each: JSON on stdout, or lines for people on stderr."""
        if as_json:
            click.echo(json_text([row(delivery) for delivery in self.deliveries]), nl=False)
        troubled = {"skipped", *ADVICE}
        few = len(self.deliveries) <= 2 * HANDFUL
        for one in self.deliveries:
            if few or one.state in troubled:
                to = reached(one.user, one.content)
                self.session.say(line(one.state, one.content, to, one.detail))
        states = [delivery.state for delivery in self.deliveries]
        for state, advice in ADVICE.items():
            if state in states:
                click.echo(f"{state}: {advice}", err=True)
        self.session.say(summed(states, len(self.people) - self.reached))


def exit_code(deliveries: Iterable[Delivery]) -> int:
    """0 accepted or skipped, 1 failed for good or unknown, 2 settings, 75 try again later."""
    states = {delivery.state for delivery in deliveries}
    if "misconfigured" in states:
        return 2
    if states & FAILED:
        return 1
    return TEMPORARY if states & {"deferred", "queued", "sending"} else 0


def _agreed(work: Work, through: Sequence[ContentName], *, asked: bool) -> bool:
    """True where the person at the terminal says yes. Raises UsageError where there is none."""
    if not (asked and sys.stdin.isatty()):
        raise click.UsageError("there is no terminal to ask at: pass --yes to send, or --dry-run")
    carriers = ", ".join(f"{name} through {work.project.carrier(name)}" for name in through)
    people = work.people[0].label if len(work.people) == 1 else f"{len(work.people)} people"
    act = "Enqueue" if work.enqueue else "Send"
    return click.confirm(f"{act} {work.message.id} to {people}: {carriers}?", err=True)
