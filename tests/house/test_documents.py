"""The documents have what the code has."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, get_args

import click
import msgspec
import pytest
from click.testing import CliRunner
from documents import ROOT, blocks, read, rows, section
from jinja2 import BaseLoader
from jinja2.filters import FILTERS as JINJA_FILTERS

from vero_channels.email.smtp import Smtp
from vero_channels.push.apns import Apns
from vero_channels.push.fcm import Fcm
from vero_channels.push.fcm_admin import FcmAdmin
from vero_channels.push.webpush import WebPush
from vero_deliver import Message, Renderer, Sms, User, errors, message, registry
from vero_deliver.channel import Receipt
from vero_deliver.cli import SECTIONS, cli
from vero_deliver.cli.send import exit_code
from vero_deliver.config import (
    CheckTable,
    From,
    Links,
    OutboxTable,
    QueryTable,
    Settings,
    TrackingTable,
)
from vero_deliver.data import TYPE_NAMES
from vero_deliver.delivery import Delivery, Outcome, Recorded, State
from vero_deliver.domains import State as RecordState
from vero_deliver.mime import Domain
from vero_deliver.plain import MAX_DIGITS
from vero_deliver.references import KINDS
from vero_deliver.render import limits, renderer
from vero_deliver.render.environment import FORMATS, make
from vero_deliver.render.filters import FILTERS
from vero_deliver.render.filters.vero import MAX_WIDTH
from vero_deliver.render.run import Run
from vero_deliver.render.templates import Templates
from vero_deliver.rendered import Skipped
from vero_deliver.resource.shape import BOOKKEEPING
from vero_deliver.routes import Throttled
from vero_deliver.routes.table import RouteTable
from vero_deliver.states import FOLLOWS
from vero_deliver.states import State as RecordedState

COMMANDS: Final = tuple(name for commands in SECTIONS.values() for name in commands)


def with_subcommands(name: str, command: click.Command) -> Iterator[str]:
    """`key`, `key new`, `key new dkim`."""
    yield name
    for sub, inner in command.commands.items() if isinstance(command, click.Group) else ():
        yield from with_subcommands(f"{name} {sub}", inner)


NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


def help_text(*command: str) -> str:
    """The help as a terminal of 80 columns shows it; click leaves two of them free."""
    done = CliRunner().invoke(
        cli, [*command, "--help"], prog_name="vero-deliver", terminal_width=78
    )
    assert done.exit_code == 0
    return done.output


def command_of(path: str) -> click.Command:
    found: click.Command | None = cli
    for name in path.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), name)
    assert found
    return found


CALLS: Final = [path for name in COMMANDS for path in with_subcommands(name, command_of(name))]


@pytest.mark.parametrize("name", ["vero-deliver", *CALLS])
def test_help_is_in_the_document(name: str) -> None:
    """Each command's section begins with its literal --help."""
    found = help_text(*(name.split() if name in CALLS else []))
    [block] = blocks(section(read("command-line.md"), name), "text")
    assert block == found, f"paste this below the heading {name} in docs/command-line.md:\n{found}"


@pytest.mark.parametrize("name", CALLS)
def test_every_option_is_in_the_document(name: str) -> None:
    """No option is documented nowhere, hidden ones included."""
    text = section(read("command-line.md"), name)
    for parameter in (*cli.params, *command_of(name).params):
        where = read("command-line.md") if parameter in cli.params else text
        for option in parameter.opts if isinstance(parameter, click.Option) else ():
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", where), f"{name} {option}"


@pytest.mark.parametrize("name", COMMANDS)
def test_command_list_says_what_the_command_says(name: str) -> None:
    """The list of --help, which imports no command, has each command's own first line."""
    listed = next(commands[name] for commands in SECTIONS.values() if name in commands)
    assert listed == (command_of(name).help or "").partition("\n")[0]


MODELS: Final[dict[type[msgspec.Struct], tuple[str, str, set[str]]]] = {
    message.Message: ("messages.md", "Message", {"check"}),
    message.Email: ("messages.md", "Email", set()),
    message.EmailVariant: ("messages.md", "Email variant", set()),
    message.Attachment: ("messages.md", "Attachment", {"file"}),
    message.Push: ("messages.md", "Push", set()),
    message.PushAction: ("messages.md", "Push action", set()),
    message.Sms: ("messages.md", "Sms", set()),
    message.Http: ("messages.md", "Http", set()),
    Settings: ("configuration.md", "Settings", set()),
    From: ("configuration.md", "From", set()),
    Links: ("configuration.md", "Links", set()),
    CheckTable: ("configuration.md", "Check", set()),
    OutboxTable: ("configuration.md", "Outbox", set()),
    QueryTable: ("configuration.md", "Queries", set()),
    TrackingTable: ("tracking.md", "Tracking, and what answers", set()),
    RouteTable: ("configuration.md", "Routes", set()),
}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_has_a_row(model: type[msgspec.Struct]) -> None:
    """The table of a model has its keys as they are written, and what the loader adds; no other."""
    document, heading, added = MODELS[model]
    keys = {field.encode_name for field in msgspec.structs.fields(model)}
    assert set(rows(section(read(document), heading))) == keys | added


def test_every_struct_of_a_message_has_a_table() -> None:
    """A model that is added to message.py is listed above."""
    own = {
        value
        for value in vars(message).values()
        if inspect.isclass(value) and issubclass(value, msgspec.Struct) and value.__struct_fields__
    }
    assert own <= set(MODELS)


def test_every_type_of_data_has_a_row() -> None:
    """The types that [data] may declare are those of the table."""
    assert set(rows(section(read("messages.md"), "Data"))) == set(TYPE_NAMES)


def test_every_ignored_name_is_told() -> None:
    """What from_resource passes over is in the document."""
    text = section(read("messages.md"), "Vero's JSON")
    assert not [name for name in BOOKKEEPING if f"`{name}`" not in text]


def test_every_kind_of_reference_has_a_row() -> None:
    """A secret is referred to in as many ways as the document shows."""
    found = rows(section(read("configuration.md"), "Channels"))
    assert {next(iter(tomllib.loads(f"x = {row}")["x"])) for row in found} == KINDS


def test_every_variable_of_the_environment_is_told() -> None:
    """The settings that the environment may change are those in the document."""
    text = section(read("configuration.md"), "What counts")
    plain = [f for f in msgspec.structs.fields(Settings) if isinstance(f.default, str)]
    assert not [f.name for f in plain if f"`VERO_DELIVER_{f.name.upper()}`" not in text]


EXAMPLE: Final = re.compile(r"(\{\{.*?\}\}) +\{# (.*) #\}")
EXAMPLES: Final[list[tuple[str, str]]] = EXAMPLE.findall(section(read("templates.md"), "Filters"))


PARSED_IN: Final = {"untranslated"}  # put around gettext's arguments, not written by anybody


def test_every_filter_has_an_example() -> None:
    """Every filter that is not Jinja's own, or differs from it, is shown."""
    known = make("text", "strict", BaseLoader()).filters
    # one with an underscore is put round an expression, not written by anybody
    ours = {name for name in known if name[0] != "_"} - set(JINJA_FILTERS) - PARSED_IN
    shown = {name for template, _ in EXAMPLES for name in re.findall(r"\| (\w+)", template)}
    assert shown == ours | set(FILTERS) | set(FORMATS)


@pytest.mark.parametrize(("template", "result"), EXAMPLES)
def test_filter_example_is_true(template: str, result: str) -> None:
    """Each example gives what its comment says."""
    shown = Message(title="T", locales=("en-GB",), sms=Sms(body=template))
    user = User(phone="+447700900123", locale="en-GB", timezone="Europe/London")
    data = {"amount": 1234.5, "due": "2026-11-26", "sent": "2001-11-29T14:33:20Z"}
    assert Renderer().render(shown, user, "sms", data=data, now=NOON).body == result  # type: ignore[union-attr]


def test_limits_are_true() -> None:
    """The figures of the document are those of the code."""
    output = inspect.signature(Templates).parameters["max_output"].default
    steps = inspect.signature(Run).parameters["steps"].default
    figures = (limits.MAX_TEXT, output, limits.MAX_RANGE, steps, limits.MAX_BITS, MAX_DIGITS)
    told = re.findall(r"\| ([\d,]+) ", section(read("templates.md"), "Limits"))
    assert told[:7] == [f"{figure:,}" for figure in (*figures, MAX_WIDTH)]


def test_every_variable_has_a_row() -> None:
    """What templates see besides data is in the table."""
    assert set(renderer.RESERVED) <= set(rows(section(read("templates.md"), "Variables")))


ERRORS: Final = [name for name, value in vars(errors).items() if inspect.isclass(value)]
_LATER: Final[tuple[RecordedState, ...]] = (
    "queued", "sending", "delivered", "bounced", "complained", "suppressed", "expired", "cancelled",
)  # fmt: skip
OUTCOMES: Final[dict[State, Outcome]] = {
    "accepted": Receipt("c", "1", NOON),
    "skipped": Skipped("no address"),
    "unrendered": errors.RenderError("x"),
    "gone": errors.Gone("x", channel="c"),
    "refused": errors.Refused("x", channel="c"),
    "deferred": errors.Deferred("x", channel="c"),
    "misconfigured": errors.Misconfigured("x", channel="c"),
    "uncertain": errors.Uncertain("x", channel="c"),
    **{state: Recorded(state) for state in _LATER},
}


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_is_drawn_and_told(name: str) -> None:
    """An error is in the tree of errors.py and in the table of docs/sending.md."""
    assert re.search(rf"^\W*{name}\b", errors.__doc__ or "", re.MULTILINE)
    assert name in rows(section(read("sending.md"), "Errors"))


@pytest.mark.parametrize("state", get_args(RecordedState))
def test_every_state_is_a_contract(state: RecordedState) -> None:
    """Each state has its paragraphs in docs/outbox.md, with what may follow."""
    text = section(read("outbox.md"), state)
    [what_follows] = re.findall(r"^Next: (.*?)\n\n", text, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", what_follows)) == FOLLOWS[state]


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_has_a_true_row(state: State) -> None:
    """The table of states has the exit code of a send where all ended so."""
    delivery = Delivery("key", "email", User(), OUTCOMES[state])
    assert delivery.state == state
    row = rows(section(read("sending.md"), "States"))[state]
    assert row[-1] == str(exit_code([delivery]))


def test_every_smtp_option_has_a_row() -> None:
    """The table has the arguments of Smtp."""
    assert set(rows(section(read("sending.md"), "SMTP"))) == set(inspect.signature(Smtp).parameters)


HTTP_DRIVERS: Final = ("http", "slack", "discord", "teams")
SMS_APIS: Final = tuple(
    driver.name for driver in registry.DRIVERS.values() if hasattr(driver.load(), "codes")
)
EMAIL_APIS: Final = tuple(
    driver.name for driver in registry.DRIVERS.values() if hasattr(driver.load(), "capabilities")
)


@pytest.mark.parametrize(
    ("heading", "drivers"),
    [
        ("Email APIs", EMAIL_APIS),
        ("Text messages", SMS_APIS),
        ("HTTP requests", HTTP_DRIVERS),
    ],
)
def test_every_option_of_a_driver_has_a_row(heading: str, drivers: tuple[str, ...]) -> None:
    """The table has each option with the drivers that take it, and no other."""
    taken: dict[str, list[str]] = {}
    for name in drivers:
        for option in inspect.signature(registry.DRIVERS[name].load()).parameters:
            taken.setdefault(option, []).append(name)
    table = rows(section(read("sending.md"), heading))
    assert set(table) == set(taken)
    for option, names in taken.items():
        told = table[option][0]
        if told == "all":
            assert set(names) == set(drivers)
        elif told.startswith("all but "):
            assert set(drivers) - set(names) == set(re.findall(r"\w+", told[8:])) - {"and"}
        else:
            assert set(told.split(", ")) == set(names)


def test_every_webpush_option_has_a_row() -> None:
    """The table has the arguments of WebPush."""
    known = set(inspect.signature(WebPush).parameters)
    assert set(rows(section(read("sending.md"), "Web Push"))) == known


@pytest.mark.parametrize(("heading", "driver"), [("APNs", Apns), ("FCM", Fcm)])
def test_every_option_of_a_push_driver_has_a_row(heading: str, driver: type[object]) -> None:
    """The table has the arguments of Apns, and of Fcm."""
    known = set(inspect.signature(driver).parameters)
    assert set(rows(section(read("sending.md"), heading))) == known


def test_every_option_of_fcm_admin_is_told() -> None:
    """They are named below the table of Fcm, which has the same ones."""
    told = section(read("sending.md"), "FCM").partition('`driver = "fcm-admin"`')[2]
    own = set(inspect.signature(FcmAdmin).parameters)
    assert own <= set(re.findall(r"`(\w+)`", told))
    assert own <= set(inspect.signature(Fcm).parameters)


def test_every_throttle_option_has_a_row() -> None:
    """The table has the arguments of Throttled, but for the channel."""
    options = set(inspect.signature(Throttled).parameters) - {"channel"}
    assert options <= set(rows(section(read("sending.md"), "Routes")))


def test_every_key_of_a_domain_has_a_row() -> None:
    """The table has the arguments of Domain; its name is the name of the table."""
    known = set(inspect.signature(Domain).parameters) - {"name"}
    assert set(rows(section(read("domains.md"), "Settings"))) == known


def test_every_state_of_a_record_has_a_row() -> None:
    """The states that `domain check` knows, with their exit codes."""
    assert set(rows(section(read("domains.md"), "Check"))) == set(get_args(RecordState))


def test_channel_matrix_names_no_driver_that_is_gone() -> None:
    """No row is left over; that each driver has a true one is tested with the channels."""
    matrix = section((ROOT / "channels/README.md").read_text("utf-8"), "Channels")
    assert set(rows(matrix)) == set(registry.DRIVERS)
