"""A message written to a folder and read back."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_strategies import messages

from vero_deliver import Attachment, Email, EmailVariant, Http, Message, Push, Sms
from vero_deliver.errors import MessageError
from vero_deliver.loader import load_message, save_message

ID = "shop/order"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "messages"


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(message=messages)
def test_every_message_survives_a_folder(
    message: Message, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What is saved loads as an equal message."""
    root = tmp_path_factory.mktemp("m") / "messages"
    save_message(message, root / "shop/order")
    loaded = load_message(root / "shop/order", root=root)
    assert loaded == (message if message.id else with_id(message))


def with_id(message: Message) -> Message:
    return Message(**{**{f: getattr(message, f) for f in message.__struct_fields__}, "id": ID})


@given(st.text(max_size=30) | st.binary(max_size=30).map(lambda raw: raw.decode("latin-1")))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bodies_are_kept_byte_for_byte(tmp_path_factory: pytest.TempPathFactory, body: str) -> None:
    """Line ends, a byte order mark and a missing last newline come back as they were."""
    folder = tmp_path_factory.mktemp("m") / "x"
    save_message(Message(title="T", email=Email(subject="s", html=body, text=body)), folder)
    loaded = load_message(folder)
    assert loaded.email
    assert (loaded.email.html, loaded.email.text) == (body, body)


def test_dates_in_data_survive(root: Path) -> None:
    """A TOML date or time stays one."""
    moment = datetime(2026, 5, 1, 12, 30, 0, 5, timezone(timedelta(hours=2)))
    declared = {
        "due": {"type": "date", "default": date(2026, 5, 1)},
        "at": {"type": "datetime", "default": moment},
    }
    save_message(Message(title="T", data=declared), root / ID)
    assert load_message(root / ID).data == declared


def deep(levels: int) -> Any:
    """A list in a list in a list..."""
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


UNWRITABLE: list[tuple[dict[str, Any], str]] = [
    ({"title": "\ud800"}, "title: holds half a surrogate pair"),
    ({"email": Email(subject="s", html="\udc00")}, "email.html: holds half"),
    ({"http": Http(url="u", json={"a": [float("nan")]})}, "json.a[0]: JSON has no nan"),
    ({"http": Http(url="u", json=date(2026, 1, 1))}, "http.json: JSON has no date"),
    ({"data": {"a": {"type": "string", "default": None}}}, "data.a.default: TOML has no null"),
    ({"data": {"a": "strng"}}, "data.a: unknown type 'strng'; did you mean 'string'?"),
    ({"title": 5}, "title: expected a string, got an integer"),
    ({"metadata": {"a": object()}}, "has no place in a message"),
    ({"http": Http(url="u", json=10**5000)}, "http.json: JSON has no integer"),
    ({"http": Http(url="u", json=deep(200))}, "nested too deeply"),
    ({"http": Http(url="u", json=deep(2000))}, "nested too deeply"),
    ({"data": {"x": {"type": "any", "default": deep(200)}}}, "nested too deeply"),
    ({"locales": ("../x",)}, "locales[0]: '../x' is no locale"),
    (
        {"email": Email(subject="s", variants={"fr": EmailVariant(html="h")})},
        "email.variants.fr: 'fr' is none of the message's locales",
    ),
    (
        {"email": Email(subject="s", variants={"../x": EmailVariant(html="h")})},
        "'../x' is no locale",
    ),
]


@pytest.mark.parametrize(("fields", "words"), UNWRITABLE)
def test_what_a_folder_cannot_hold_is_refused_before_anything_is_written(
    root: Path, fields: dict[str, Any], words: str
) -> None:
    """The error names the field; the disk stays as it was."""
    with pytest.raises(MessageError) as raised:
        save_message(Message(**{"title": "T", **fields}), root / ID)
    assert words in str(raised.value)
    assert not root.exists()


def test_another_message_is_not_overwritten(root: Path) -> None:
    """Only overwrite=True replaces a message by a different one."""
    save_message(Message(title="First"), root / ID)
    with pytest.raises(MessageError, match="another message is here"):
        save_message(Message(title="Second"), root / ID)
    assert load_message(root / ID).title == "First"
    save_message(Message(title="Second"), root / ID, overwrite=True)
    assert load_message(root / ID).title == "Second"


def test_saving_the_same_message_again_leaves_the_folder_alone(root: Path) -> None:
    """Comments in message.toml are not lost to a save that changes nothing."""
    (root / ID).mkdir(parents=True)
    (root / ID / "message.toml").write_text('title = "T"  # mine\n')
    save_message(Message(title="T"), root / ID)
    assert (root / ID / "message.toml").read_text() == 'title = "T"  # mine\n'


def test_overwriting_removes_bodies_that_are_no_longer_there(root: Path) -> None:
    """A new HTML body does not meet the old MJML one; samples and assets stay."""
    save_message(Message(title="T", email=Email(subject="s", mjml="<mjml>")), root / ID)
    (root / ID / "samples").mkdir()
    (root / ID / "samples/ada.json").write_text("{}")
    message = Message(title="T", email=Email(subject="s", html="<p>"))
    save_message(message, root / ID, overwrite=True)
    assert load_message(root / ID, root=root).email == message.email
    assert (root / ID / "samples/ada.json").exists()


def test_files_of_somebody_else_are_not_overwritten(root: Path) -> None:
    """A folder without message.toml may still hold an asset of the same name."""
    (root / ID / "assets").mkdir(parents=True)
    (root / ID / "assets/logo.png").write_bytes(b"theirs")
    message = Message(
        title="T",
        email=Email(subject="s", attachments=(Attachment(filename="logo.png", content=b"ours"),)),
    )
    with pytest.raises(MessageError, match=r"assets/logo\.png is here already"):
        save_message(message, root / ID)
    assert not (root / ID / "message.toml").exists()


def test_no_half_written_message_can_be_loaded(root: Path) -> None:
    """Where a file cannot be written, there is no message.toml and nothing temporary."""
    (root / ID).mkdir(parents=True)
    (root / ID / "http.txt").mkdir()
    with pytest.raises(MessageError, match="cannot be written"):
        save_message(Message(title="T", http=Http(url="u", body="b")), root / ID, overwrite=True)
    assert [f.name for f in (root / ID).iterdir()] == ["http.txt"]


def test_attachments_get_safe_names_of_their_own(root: Path) -> None:
    """Hostile and equal file names stay inside assets/ and apart."""
    names = ("../../x.png", "x.png", "con.txt", "", "Ř ž.PDF")
    files = tuple(Attachment(filename=n, content=n.encode() + b"!") for n in names)
    message = Message(id=ID, title="T", email=Email(subject="s", attachments=files))
    save_message(message, root / ID)
    assert load_message(root / ID, root=root) == message
    assert sorted(f.name for f in (root / ID / "assets").iterdir()) == [
        "attachment", "attachment.pdf", "con-file.txt", "x-2.png", "x.png"
    ]  # fmt: skip


def test_the_schema_line_points_from_the_folder(root: Path) -> None:
    """Editors find the project's schema by a relative path on the first line."""
    schema = root.parent / ".vero/schema/message.schema.json"
    save_message(Message(title="T"), root / ID, schema=schema)
    first = (root / ID / "message.toml").read_text().splitlines()[0]
    assert first == "#:schema ../../../.vero/schema/message.schema.json"
    assert load_message(root / ID).title == "T"


def test_long_texts_are_written_as_people_write_them(root: Path) -> None:
    """A text of several lines becomes a multi-line string where nothing is lost by it."""
    save_message(Message(title="T", sms=Sms(body="one\ntwo\n")), root / ID)
    assert 'body = """\none\ntwo\n"""' in (root / ID / "message.toml").read_text()


def test_null_in_push_extras_and_http_json_is_kept(root: Path) -> None:
    """Both live in JSON files, so null is not lost."""
    message = Message(
        id=ID, title="T", push=Push(title="p", ios={"a": None}), http=Http(url="u", json=[None])
    )
    save_message(message, root / ID)
    assert load_message(root / ID, root=root) == message
