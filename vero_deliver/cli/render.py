"""vero-deliver render."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

import click

from vero_deliver.cli import options
from vero_deliver.cli.contents import contents_of, explained
from vero_deliver.cli.files import file_name, write
from vero_deliver.cli.pictures import camera, look_options
from vero_deliver.cli.printing import DEFAULT_FORMATS, ENDINGS, FORMATS, printed
from vero_deliver.cli.recipients import about, for_showing
from vero_deliver.cli.session import Session
from vero_deliver.cli.terminal import harmless
from vero_deliver.deliver import Deliverer
from vero_deliver.errors import RenderError
from vero_deliver.message import Message
from vero_deliver.mime import Domains
from vero_deliver.rendered import ContentName, Skipped


@click.command("render")
@options.message_argument
@options.show_to_option
@options.show_data_option
@options.channel_option
@click.option(
    "-f",
    "--format",
    "fmt",
    type=click.Choice(FORMATS),
    help="eml: the MIME bytes. http: the channel's request. png: a picture, by the Chromium or "
    "Chrome of this machine. Default: by content.",
)
@click.option(
    "-o",
    "--out",
    metavar="PATH",
    default="-",
    show_default=True,
    help="A file; or a folder (ending in /, or there already) for one file each.",
)
@click.option("--all", "every", is_flag=True, help="Every user of the source.")
@click.option(
    "--explain",
    is_flag=True,
    help="Print whether the email's body is compiled once, and if not, why.",
)
@look_options
@options.key_option
@options.now_option
@click.pass_obj
def command(
    session: Session,
    message: str,
    to: Sequence[str],
    data: str | None,
    channels: Sequence[ContentName],
    fmt: str | None,
    out: str,
    every: bool,
    explain: bool,
    width: int,
    dark: bool,
    view: str,
    key: str,
    now: datetime | None,
) -> None:
    """Print what would be sent, byte for byte.

    \b
      vero-deliver render order-receipt -t ada > ada.eml
      vero-deliver render order-shipped -t ada -c push
      vero-deliver render order-receipt --all -f html -o out/
      vero-deliver render order-receipt -t ada -f png --width 375 -o ada.png
    """
    loaded = session.loaded.message(message)
    if fmt == "png" and out == "-" and sys.stdout.isatty():
        raise click.UsageError("a terminal shows no picture: write -o ada.png")
    if explain:
        _explain(session, loaded)
        return
    contents = channels or _contents(loaded, fmt)
    contents_of(loaded, contents)
    deliverer = Deliverer(session.loaded.renderer())
    signs = "email" in contents and (fmt or DEFAULT_FORMATS["email"]) == "eml"
    domains = session.loaded.email_domains() if signs else Domains()
    pages: list[tuple[str, bytes]] = []
    with camera(width, dark, view) as taken:
        for who in for_showing(session.loaded, loaded, to, data, every=every):
            session.step(f"rendering for {who.label}")
            found = deliverer.render(loaded, who.user, contents=contents, **about(who, key, now))
            for content, delivery_key, made in found:
                rendered = explained(made, content, who)
                if isinstance(rendered, RenderError):
                    raise rendered
                if isinstance(rendered, Skipped):
                    session.say(f"{who.label}: no {content}: {rendered.reason}")
                    continue
                chosen = fmt or DEFAULT_FORMATS[content]
                name = f"{file_name(who.label)}.{content}.{ENDINGS.get(chosen, chosen)}"
                asked = chosen == "http" and content != "push"
                page = printed(
                    rendered,
                    delivery_key,
                    chosen,
                    domains=domains,
                    push_settings=session.loaded.push_settings,
                    channel=session.loaded.first_channel(content) if asked else None,
                    picture=taken.picture,
                )
                pages.append((name, page))
    write(session, pages, out)


def _explain(session: Session, message: Message) -> None:
    renderer = session.loaded.renderer()
    for language in message.locales or (session.loaded.settings.language,):
        found = renderer.explain(message, language)
        said = "compiled once" if found.compiled else "compiled for every recipient"
        click.echo(f"{message.id} email {language}: {said}")
        for reason in found.reasons:
            click.echo(f"  {harmless(str(reason))}")


def _contents(message: Message, fmt: str | None) -> Sequence[ContentName]:
    """One content: the one the format is for, else the message's first."""
    for_format: dict[str, Sequence[ContentName]] = {
        "eml": ("email",), "html": ("email",), "png": ("email",),
        "http": ("http", "push", "sms", "email"),
    }  # fmt: skip
    fitting = for_format.get(fmt or "", message.contents)
    held: list[ContentName] = [name for name in fitting if name in message.contents]
    return held[:1] or fitting[:1]
