"""vero-deliver key."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click

from vero_deliver.cli import options
from vero_deliver.cli.printing import as_json as json_text
from vero_deliver.cli.session import Session
from vero_deliver.domains import Record, zone_line
from vero_deliver.errors import ConfigError
from vero_deliver.mime import Signer, new_key
from vero_deliver.vapid import Vapid, new_vapid_key

_EXAMPLE = "example.com"  # stands for a domain that is not given


@click.group("key")
def command() -> None:
    """Make keys."""


@command.group("new")
def new() -> None:
    """Make a key, in a file that only you can read."""


@new.command("dkim")
@click.argument("domain", default="", metavar="[DOMAIN]")
@click.option(
    "--algorithm",
    type=click.Choice(["rsa", "ed25519"]),
    default="rsa",
    show_default=True,
    help="rsa has 2048 bits. ed25519 is for signing beside rsa, never alone.",
)
@click.option(
    "--selector",
    metavar="NAME",
    help="Which name in DNS. Default: today's date, and an e for ed25519.",
)
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    help="Default: dkim-DOMAIN-SELECTOR.pem. A file that is there is never overwritten.",
)
@options.json_option
@click.pass_obj
def dkim(
    session: Session,
    domain: str,
    algorithm: Literal["rsa", "ed25519"],
    selector: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Make a DKIM key, and print the DNS record that publishes it.

    \b
      vero-deliver key new dkim news.example.com -o secrets/news.pem
      vero-deliver key new dkim news.example.com --algorithm ed25519
    """
    name = selector or f"{datetime.now(UTC):%Y%m%d}{'e' if algorithm == 'ed25519' else ''}"
    pem = new_key(algorithm)
    signer = Signer(domain or _EXAMPLE, name, pem)
    record = Record(signer.name, "TXT", signer.record)
    line = zone_line(record) if domain else zone_line(record, origin=_EXAMPLE)
    about = f"{signer.domain}-" if domain else ""
    path = Path(out or f"dkim-{about}{signer.selector}.pem")
    _write(path, pem, "mail under way may need it; give another --selector or --out")
    if as_json:
        document = {
            "selector": signer.selector,
            "algorithm": signer.algorithm,
            "file": str(path),
            "record": {"name": line.partition(" ")[0], "type": "TXT", "value": signer.record},
        }
        click.echo(json_text(document), nl=False)
    else:
        click.echo(line)
    prefix = "ed25519_" if algorithm == "ed25519" else ""
    session.say(f"The private key is in {path}. Publish the record, then write into")
    session.say(f'[domains."{signer.domain if domain else "..."}"] of vero-deliver.toml:')
    session.say(f'  {prefix}selector = "{signer.selector}"')
    session.say(f"  {prefix}key = {{ file = {json.dumps(_reference(session, path))} }}")


@new.command("vapid")
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    default="vapid.pem",
    show_default=True,
    help="A file that is there is never overwritten.",
)
@options.json_option
@click.pass_obj
def vapid(session: Session, out: str, as_json: bool) -> None:
    """Make a key for Web Push, and print its public half.

    \b
      vero-deliver key new vapid -o secrets/vapid.pem

    The public half is the applicationServerKey with which the page subscribes. Browsers that
    subscribed with one key take nothing from another.
    """
    pem, path = new_vapid_key(), Path(out)
    public = Vapid(pem, "mailto:nobody@example.com").public_key
    _write(path, pem, "browsers that subscribed with it need it; give another --out")
    if as_json:
        click.echo(json_text({"public_key": public, "file": str(path)}), nl=False)
    else:
        click.echo(public)
    session.say(f"The private key is in {path}. Write into a channel of vero-deliver.toml:")
    session.say('  driver = "webpush"')
    session.say(f"  private_key = {{ file = {json.dumps(_reference(session, path))} }}")
    session.say('  subject = "mailto:ops@example.com"')


def _reference(session: Session, path: Path) -> str:
    """The file as the project refers to it: relative to its folder, else absolute."""
    absolute = path.absolute()
    try:
        return absolute.relative_to(session.loaded.root).as_posix()
    except (ConfigError, ValueError):
        return str(absolute)


def _write(path: Path, pem: str, why: str) -> None:
    """A new file of mode 0600. ConfigError where something is there already, a link included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(
            f"{path} is there already, and a key is never overwritten: {why}"
        ) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
