"""vero-deliver doctor."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, get_args

import click
import msgspec

from vero_deliver.audience import samples
from vero_deliver.cli import options
from vero_deliver.cli.contents import contents_of
from vero_deliver.cli.finding import Finding
from vero_deliver.cli.outbox_findings import outbox_findings, web_findings
from vero_deliver.cli.printing import as_json as json_text
from vero_deliver.cli.session import Session
from vero_deliver.cli.terminal import harmless
from vero_deliver.deliver import Deliverer
from vero_deliver.errors import RenderError, VeroDeliverError
from vero_deliver.mime import Domains
from vero_deliver.project import Project
from vero_deliver.reading import display
from vero_deliver.references import is_reference
from vero_deliver.rendered import ContentName, RenderedEmail

_SECRET = re.compile("pass|secret|token|key|credential|auth|basic|bearer", re.IGNORECASE)
_USERINFO = re.compile("//[^/@ ]+@")


@click.command("doctor")
@click.option("--config", is_flag=True, help="Print every setting with where it comes from.")
@options.json_option
@click.pass_context
def command(ctx: click.Context, config: bool, as_json: bool) -> None:
    """Check the project, its channels and messages; say what to fix.

    Every secret is looked up and every sample rendered; nothing is sent, and no server is called
    but the outbox's database.

    Exits 0 when all is well, 1 when something is not.
    """
    session: Session = ctx.obj
    project = session.loaded
    if config:
        _print_settings(project, as_json=as_json)
        return
    findings = list(_findings(project))
    if as_json:
        click.echo(json_text([asdict(finding) for finding in findings]), nl=False)
    for finding in [] if as_json else findings:
        mark = click.style("ok     ", fg="green")
        if finding.state == "problem":
            mark = click.style("problem", fg="red", bold=True)
        click.echo(f"{mark}  {harmless(f'{finding.what}: {finding.detail}')}")
    ctx.exit(int(any(finding.state == "problem" for finding in findings)))


def _findings(project: Project) -> Iterator[Finding]:
    ours, python = version("vero-deliver"), platform.python_version()
    yield Finding("ok", "installation", f"vero-deliver {ours} on Python {python}")
    yield Finding("ok", "project", f"{display(project.config.file)}, environment {project.env}")
    for content in get_args(ContentName):
        yield _channel(project, content)
    for name in project.settings.domains:
        yield _domain(project, name)
    yield from outbox_findings(project)
    yield from web_findings(project)
    names = project.message_ids()
    if not names:
        yield Finding("problem", "messages", f"none in {display(project.messages)}/")
    domains = _domains(project)
    for name in names:
        yield from _message(project, name, domains)


def _channel(project: Project, content: ContentName) -> Finding:
    try:
        deliverer = project.deliverer((content,))
    except VeroDeliverError as error:
        return Finding("problem", content, str(error))
    if content not in deliverer.channels:
        return Finding("ok", content, f"no channel in the environment {project.env}")
    return Finding("ok", content, f"through {project.carrier(content)}")


def _domain(project: Project, name: str) -> Finding:
    try:
        domain = project.domain(name)
    except VeroDeliverError as error:
        return Finding("problem", name, str(error))
    selectors = ", ".join(f"{signer.selector} ({signer.algorithm})" for signer in domain.signers)
    bounces = f"; bounces to {domain.return_path}" if domain.return_path else ""
    asked = f"`vero-deliver domain check {name}` asks DNS"
    return Finding("ok", name, f"signs with {selectors or 'no key'}{bounces}; {asked}")


def _message(project: Project, name: str, domains: Domains) -> Iterator[Finding]:
    try:
        message = project.message(name)
        contents_of(message)
        people = samples(project.folder(name), declared=message.data)
        deliverer = Deliverer(project.renderer())
        made = [
            rendered
            for who in people
            for _, _, rendered in deliverer.render(
                message, who.user, data=who.data, event=who.event, who=who.label
            )
        ]
    except VeroDeliverError as error:
        yield Finding("problem", name, str(error))
        return
    broken = [rendered for rendered in made if isinstance(rendered, RenderError)]
    for unrendered in broken:
        yield Finding("problem", name, str(unrendered))
    if not broken:
        languages = dict.fromkeys(deliverer.renderer.language(message, who.user) for who in people)
        chosen = f" ({', '.join(languages)})" if languages else ""
        contents = ", ".join(message.contents)
        counted = f"{contents}; rendered for {len(people)} samples{chosen}"
        yield Finding("ok", name, f"{counted}{_unsigned(made, domains)}")


def _domains(project: Project) -> Domains:
    """Who signs emails; nobody where that is a finding of its own."""
    try:
        return project.email_domains()
    except VeroDeliverError:
        return Domains()


def _unsigned(made: Sequence[object], domains: Domains) -> str:
    """Whose emails go out without a signature, where there are sending domains."""
    if not domains:
        return ""
    senders = dict.fromkeys(email.from_.email for email in made if isinstance(email, RenderedEmail))
    signed = {sender: domains.of(sender) for sender in senders}
    names = [sender for sender, domain in signed.items() if not (domain and domain.signers)]
    return f"; unsigned: {', '.join(names)} is below no sending domain with a key" if names else ""


def _print_settings(project: Project, *, as_json: bool) -> None:
    settings: dict[str, Any] = msgspec.to_builtins(project.settings)
    for section in ("channels", "domains", "feedback"):
        settings[section] = {
            name: {key: _masked(key, value) for key, value in table.items()}
            for name, table in settings[section].items()
        }
    origins = project.config.origins
    rows = [
        {"name": name, "value": value, "origin": origins[name]} for name, value in settings.items()
    ]
    if as_json:
        click.echo(json_text(rows), nl=False)
        return
    for row in rows:
        click.echo(f"{row['name']} = {row['value']!r}  ({row['origin']})")


def _masked(key: str, value: Any) -> Any:
    """References may be shown; a secret that somebody wrote out may not."""
    if is_reference(value):
        return value
    if isinstance(value, dict):
        return {inner: _masked(inner, its) for inner, its in value.items()}
    if isinstance(value, list):
        return [_masked(key, its) for its in value]
    if isinstance(value, str) and not _SECRET.search(key):
        return _USERINFO.sub("//***@", value)
    return "***" if _SECRET.search(key) else value
