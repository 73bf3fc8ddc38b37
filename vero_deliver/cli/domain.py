"""vero-deliver domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import click

from vero_deliver.cli import options
from vero_deliver.cli.printing import as_json as json_text
from vero_deliver.cli.session import Session
from vero_deliver.cli.terminal import harmless
from vero_deliver.domains import Finding, Lookup, State, check, records, zone_line
from vero_deliver.errors import ConfigError
from vero_deliver.mime import Domain
from vero_deliver.reading import display

_COLORS: Final[dict[State, str]] = {
    "ok": "green", "missing": "red", "wrong": "red", "unknown": "yellow",
}  # fmt: skip
_TRY_LATER: Final = 75
_NAME_COLUMNS: Final = 44


@click.group("domain")
def command() -> None:
    """The DNS records a sending domain needs, and whether they are there."""


@command.command("show")
@options.domain_argument
@options.json_option
@click.pass_obj
def show(session: Session, domain: str, as_json: bool) -> None:
    """Print who signs for a domain, and its records.

    Nothing is asked of DNS.
    """
    found = session.loaded.domain(domain)
    wanted = records(found)
    if as_json:
        document = {
            "domain": found.name,
            "alignment": found.alignment,
            "signers": [
                {"selector": signer.selector, "algorithm": signer.algorithm}
                for signer in found.signers
            ],
            "return_path": found.return_path,
            "tracking": found.tracking,
            "records": [asdict(record) for record in wanted],
        }
        click.echo(json_text(document), nl=False)
        return
    below = " and below it" if found.alignment == "relaxed" else ""
    signers = ", ".join(f"{signer.selector} ({signer.algorithm})" for signer in found.signers)
    click.echo(f"{found.name}: for senders at it{below}")
    click.echo(f"signs with {signers or 'no key'}")
    click.echo(f"bounces to {found.return_path or 'the sender'}")
    click.echo("")
    for record in wanted:
        click.echo(f"{record.name:<{_NAME_COLUMNS}}  {record.type:<5}  {record.value}")


@command.command("check")
@click.argument("domains", metavar="[DOMAIN]...", nargs=-1, shell_complete=options.complete_domain)
@click.option(
    "--nameserver",
    "nameservers",
    metavar="ADDRESS",
    multiple=True,
    help="Whom to ask, 192.0.2.53 or 192.0.2.53:5353. Repeatable. Default: the system's.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(0, 600, min_open=True),
    default=5.0,
    show_default=True,
    help="For the answer to one question.",
)
@options.json_option
@click.pass_context
def check_command(
    ctx: click.Context,
    domains: Sequence[str],
    nameservers: Sequence[str],
    timeout: float,
    as_json: bool,
) -> None:
    """Ask DNS for the records of all sending domains, or of these.

    \b
      vero-deliver domain check
      vero-deliver domain check news.example.com --nameserver 192.0.2.53

    Exits 0 when all is well, 1 when a record is missing or wrong, 75 when DNS failed and it is
    worth trying again later.
    """
    session: Session = ctx.obj
    project = session.loaded
    names = list(dict.fromkeys(domains)) or list(project.settings.domains)
    if not names:
        example = '[domains."news.example.com"]'
        raise ConfigError(f"{display(project.config.file)}: there are no domains; write {example}")
    chosen: list[Domain] = [project.domain(name) for name in names]
    findings = check(chosen, Lookup(nameservers, timeout=timeout))
    if as_json:
        click.echo(json_text([asdict(finding) for finding in findings]), nl=False)
    else:
        _print(findings)
    states = {finding.state for finding in findings}
    failed = 1 if states & {"missing", "wrong"} else 0
    ctx.exit(failed or (_TRY_LATER if "unknown" in states else 0))


@command.command("zone")
@options.domain_argument
@click.pass_obj
def zone(session: Session, domain: str) -> None:
    """Print a domain's records for a zone file.

    Nothing is asked of DNS.
    """
    for record in records(session.loaded.domain(domain)):
        click.echo(zone_line(record))


def _print(findings: Sequence[Finding]) -> None:
    """A line for each finding, and what to publish where that is known and not there."""
    domain = ""
    for finding in findings:
        if finding.domain != domain:
            domain = finding.domain
            click.echo(click.style(domain, bold=True))
        state = click.style(f"{finding.state:<7}", fg=_COLORS[finding.state])
        place = f"{finding.name} {finding.type}"
        click.echo(f"  {state}  {finding.what}: {place}: {harmless(finding.detail)}")
        if finding.state == "wrong":
            for text in finding.found:
                click.echo(f"           found    {harmless(text)}")
        if finding.state in ("missing", "wrong") and finding.wanted:
            click.echo(f"           publish  {finding.wanted}")
