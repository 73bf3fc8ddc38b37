"""A message drawn in the terminal: what an inbox, a lock screen, a phone and a server would see."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from vero_deliver.cli.terminal import harmless
from vero_deliver.message import Message
from vero_deliver.mime import Domains
from vero_deliver.render.clean import clean
from vero_deliver.rendered import (
    Address,
    ContentName,
    Rendered,
    RenderedEmail,
    RenderedHttp,
    RenderedPush,
    RenderedSms,
    Skipped,
)
from vero_deliver.segments import segments, shown


class Drawing:
    """Draws on one console. domains: who signs an email."""

    def __init__(self, console: Console, domains: Domains) -> None:
        self._console = console
        self._domains = domains

    def title(self, message: Message, who: str, language: str) -> None:
        """A rule that says which message, for whom and in which language."""
        text = f"[bold]{escape(message.title)}[/]  {escape(message.id)}  {message.kind}"
        self._console.print(
            Rule(
                f"{text}  for [bold]{escape(harmless(who))}[/] in {escape(language)}", align="left"
            )
        )

    def broken(self, name: str, error: Exception) -> None:
        """A message that there is nothing to draw of, and why."""
        self._console.print(Rule(escape(harmless(name)), align="left"))
        self._console.print(Panel(Text(harmless(str(error))), title="error", style="red"))

    def draw(
        self, content: ContentName, key: str, rendered: Rendered | Skipped | Exception
    ) -> None:
        """One content, or why there is none."""
        match rendered:
            case Skipped(reason=reason):
                self._console.print(
                    Panel(Text(harmless(f"nothing: {reason}")), title=content, style="dim")
                )
            case Exception():
                self._console.print(
                    Panel(Text(harmless(str(rendered))), title=content, style="red")
                )
            case RenderedEmail():
                self._console.print(_panel(_email(rendered, key, self._domains), "email", key))
            case RenderedPush():
                self._console.print(_panel(_push(rendered), "push", key))
            case RenderedSms():
                self._console.print(_panel(_sms(rendered), "sms", key))
            case RenderedHttp():
                self._console.print(_panel(_http(rendered), "http", key))


def _panel(body: RenderableType, content: str, key: str) -> Panel:
    return Panel(
        body,
        title=f"[bold]{content}[/]",
        title_align="left",
        subtitle=f"[dim]{escape(harmless(key))}[/]",
        subtitle_align="right",
        padding=(0, 1),
    )


def _email(email: RenderedEmail, key: str, domains: Domains) -> RenderableType:
    raw = domains.signed(email, key)
    domain = domains.of(email.from_.email)
    signers = domain.signers if domain else ()
    fields: dict[str, str] = {"From": _address(email.from_), "To": _addresses(email.to)}
    fields |= {"Cc": _addresses(email.cc), "Bcc": _addresses(email.bcc)}
    fields |= {"Reply-To": _addresses(email.reply_to), "Subject": email.subject}
    fields |= dict(email.headers)
    fields |= {
        "Files": ", ".join(
            f"{file.filename} ({len(file.content):,} bytes{', inline' if file.cid else ''})"
            for file in email.attachments
        ),
        "HTML": f"{len(email.html.encode()):,} bytes" if email.html else "none",
        "Signed by": ", ".join(signer.name for signer in signers),
        "Bounces to": domain.bounce_address(key) if domain else "",
        "Sent as": f"{len(raw):,} bytes, sha256 {hashlib.sha256(raw).hexdigest()[:16]}",
    }
    return Group(_fields(fields), Rule(style="dim"), Text(clean(email.text).rstrip()))


def _push(push: RenderedPush) -> RenderableType:
    fields: dict[str, str] = {
        "Link": push.link,
        "Image": push.image,
        "Data": _pairs(push.data),
        "Badge": "" if push.badge is None else str(push.badge),
        "Sound": push.sound,
        "Collapse": push.collapse,
        "TTL": "" if push.ttl is None else f"{push.ttl:,} s",
        "Category": push.category,
        "Actions": ", ".join(action.title for action in push.actions),
        "Device": harmless(f"{push.device.platform} {push.device.token[:12]}…")
        if push.device
        else "",
    }
    lines = Text(push.title, style="bold")
    for line in filter(None, (push.subtitle, push.body)):
        lines.append("\n").append(line, style="not bold")
    return Group(lines, Rule(style="dim"), _fields(fields))


def _sms(sms: RenderedSms) -> RenderableType:
    takes = segments(sms.body)
    plural = "" if takes.count == 1 else "s"
    fields = {
        "From": sms.from_,
        "To": sms.to,
        "Length": f"{len(sms.body)} characters",
        "Sent as": f"{takes.count} segment{plural} of {takes.encoding}",
        "Not in GSM-7": shown(takes.outside),
    }
    return Group(_fields(fields), Rule(style="dim"), Text(sms.body))


def _http(request: RenderedHttp) -> RenderableType:
    line = Text(f"{request.method} {request.url}", style="bold")
    body = clean(request.body.decode("utf-8", "replace"))
    return Group(line, _fields(dict(request.headers)), Rule(style="dim"), Text(body))


def _fields(fields: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields.items():
        if value:
            table.add_row(name, Text(value))
    return table


def _address(address: Address) -> str:
    return f"{address.name} <{address.email}>" if address.name else address.email


def _addresses(addresses: tuple[Address, ...]) -> str:
    return ", ".join(map(_address, addresses))


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
