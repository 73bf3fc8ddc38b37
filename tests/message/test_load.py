"""A message folder as people write it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from message_strategies import extras, without_null

from vero_deliver import Email, EmailVariant
from vero_deliver.data import check_data
from vero_deliver.errors import ConfigError, DataError, MessageError
from vero_deliver.loader import load_message, load_messages, message_ids, save_message
from vero_deliver.source import where

LOCALES = 'locales = ["en", "cs", "en-GB"]\n'
EMAIL = 'title = "T"\n[email]\nsubject = "Hello"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "messages" / "welcome"
    made.mkdir(parents=True)
    return made


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(raw)


def refusal(folder: Path) -> str:
    with pytest.raises(MessageError) as raised:
        load_message(folder, root=folder.parent)
    return str(raised.value)


def test_files_beside_message_toml_are_its_fields(folder: Path) -> None:
    """Bodies, locales, push extras and http bodies each have their file."""
    write(folder, {
        "message.toml": LOCALES + EMAIL + '[push]\ntitle="p"\n[http]\nurl="u"\n',
        "email.mjml": "<mjml>\r\n", "email.txt": "text", "email.cs.mjml": "<cs>",
        "email.en-GB.txt": "GB", "push.ios.json": '{"a": null}', "http.json": "[1]",
        "README.md": "", ".hidden.toml": "", "notes.txt": "", "email.mjml~": "",
        "logo.png": b"\xff", "email.psd": b"\xff", "snapshots/email.xyz": "",
    })  # fmt: skip
    message = load_message(folder, root=folder.parent)
    assert message.id == "welcome"
    assert message.email == Email(
        subject="Hello",
        mjml="<mjml>\r\n",
        text="text",
        variants={"cs": EmailVariant(mjml="<cs>"), "en-GB": EmailVariant(text="GB")},
    )
    assert message.push
    assert message.push.ios == {"a": None}
    assert message.http
    assert message.http.json == [1]


def test_text_knows_its_file_and_line(folder: Path) -> None:
    """An error in a template can name the line it was written on."""
    toml = 'title = "T"\nlocales = ["cs"]\n[email]\nsubject = """\nHello"""\n'
    toml += '[email.variants.cs]\nsubject = "A"\n'
    write(folder, {"message.toml": toml, "email.html": "<p>", "http.json": '{\n"a": ["x"]}'})
    write(folder, {"message.toml": toml + '[http]\nurl = "u"\n'})
    message = load_message(folder, root=folder.parent)
    assert message.email
    assert message.http
    assert where(message.email.subject) == "messages/welcome/message.toml:5"
    assert where(message.email.variants["cs"].subject) == "messages/welcome/message.toml:7"
    assert where(message.email.html, 2) == "messages/welcome/email.html:2"
    assert where(message.http.json["a"][0]) == "messages/welcome/http.json:2"


def test_one_address_needs_no_list(folder: Path) -> None:
    """to, cc, bcc and reply_to take a string too."""
    write(folder, {"message.toml": EMAIL + 'to = "a@x.example"\nbcc = ["b@x.example"]\n'})
    email = load_message(folder).email
    assert email
    assert (email.to, email.bcc) == (("a@x.example",), ("b@x.example",))


def test_a_byte_order_mark_is_dropped(folder: Path) -> None:
    """Some editors on Windows write one; it is no part of the text."""
    write(folder, {"message.toml": "\ufeff" + EMAIL, "email.html": "\ufeff<p>"})
    email = load_message(folder).email
    assert email
    assert email.html == "<p>"


def test_attachments_are_read_from_the_folder_and_the_project(folder: Path) -> None:
    """The name defaults to the file's own."""
    toml = EMAIL + '[[email.attachments]]\nfile = "assets/a.png"\ncid = "logo"\n'
    toml += '[[email.attachments]]\nfile = "../../shared/b.pdf"\nfilename = "c.pdf"\n'
    write(folder, {"message.toml": toml, "assets/a.png": b"\x00", "../../shared/b.pdf": b"\x01"})
    email = load_message(folder, root=folder.parent).email
    assert email
    first, second = email.attachments
    assert (first.filename, first.content, first.cid) == ("a.png", b"\x00", "logo")
    assert (second.filename, second.content) == ("c.pdf", b"\x01")


@pytest.mark.parametrize(
    "name", ["../../../secret", "/etc/passwd", "link", "../up/../../../secret"]
)
def test_attachments_outside_the_project_are_refused(folder: Path, name: str) -> None:
    """Neither dots, nor absolute paths, nor symbolic links lead out."""
    secret = folder.parent.parent.parent / "secret"
    secret.write_text("s")
    (folder / "link").symlink_to(secret)
    write(folder, {"message.toml": EMAIL + f'[[email.attachments]]\nfile = "{name}"\n'})
    assert "messages/welcome/message.toml:5: email.attachments[0].file:" in refusal(folder)
    assert "lies outside" in refusal(folder)


def test_without_a_root_attachments_stay_in_the_folder(folder: Path) -> None:
    """The project is not known then."""
    write(folder, {"message.toml": EMAIL + '[[email.attachments]]\nfile = "../b"\n', "../b": "b"})
    with pytest.raises(MessageError, match="lies outside"):
        load_message(folder)


ERRORS: list[tuple[dict[str, str | bytes], str]] = [
    ({}, "messages/welcome: there is no message.toml here"),
    ({"message.toml": 'title = "T"\n\nx = ?'}, "message.toml:3: not valid TOML: Invalid value"),
    ({"message.toml": "title = "}, "message.toml:1: not valid TOML: Invalid value"),
    ({"message.toml": b'a = "\n\xff"'}, "message.toml:2: not UTF-8 (byte 6 is not)"),
    ({"message.toml": 'title = "T"'.encode("utf-16")}, "message.toml:1: not UTF-8 (UTF-16)"),
    ({"message.toml": "a = " + "[" * 5000}, "message.toml: nested too deeply"),
    (
        {"message.toml": EMAIL + 'subjct = "x"'},
        "message.toml:4: email.subjct: unknown key 'subjct'",
    ),
    ({"message.toml": 'title = "T"\nid = "x"'}, "message.toml:2: unknown key 'id'; the folder's"),
    (
        {"message.toml": 'title = "T"', "email.mjml": ""},
        "messages/welcome/message.toml: email: missing key 'subject'",
    ),
    (
        {"message.toml": 'title = "T"\nemail = 1', "email.mjml": ""},
        "message.toml:2: email: expected",
    ),
    (
        {"message.toml": EMAIL + 'html = "x"', "email.html": ""},
        "message.toml:4: email.html is written here and in messages/welcome/email.html",
    ),
    (
        {"message.toml": EMAIL + 'html = "x"', "email.mjml": "y"},
        "email.mjml:1: the body is also written in messages/welcome/message.toml:4",
    ),
    (
        {"message.toml": EMAIL, "email.cs.mjml": "x", "email.cs.html": "x"},
        "email.cs.mjml:1: the body is also written in messages/welcome/email.cs.html:1",
    ),
    ({"message.toml": EMAIL, "email.mjml": b"\n\n\xc3("}, "email.mjml:3: not UTF-8"),
    ({"message.toml": EMAIL, "http.json": "{\n1}"}, "http.json:2: not valid JSON"),
    ({"message.toml": EMAIL, "http.json": "[NaN]"}, "http.json:1: not valid JSON: NaN"),
    (
        {"message.toml": EMAIL, "http.json": '{"a":1,\n"a":2}'},
        "http.json:2: the key a is there twice",
    ),
    (
        {"message.toml": EMAIL + '[push]\ntitle="p"', "push.ios.json": "[]"},
        "push.ios.json:1: push.ios: expected an object, got a list",
    ),
    (
        {"message.toml": 'title="T"\n[http]\nurl="u"', "http.json": '["\\ud800"]'},
        "http.json:1: http.json[0]: holds half a surrogate pair",
    ),
    (
        {"message.toml": 'title="T"\n[http]\nurl="u"\n[http.json]\na=2026-01-01'},
        "message.toml:5: http.json.a: JSON has no date; write it as a string",
    ),
    (
        {"message.toml": 'title="T"\n[http]\nurl="u"\nbody="x"', "http.json": "[1]"},
        "message.toml:2: http: an http content has json or body, not both",
    ),
    (
        {"message.toml": 'title="T"\n[data]\na = "strin"'},
        "message.toml:3: data.a: unknown type 'strin'; did you mean 'string'?",
    ),
    (
        {"message.toml": 'title="T"\n[check]\nignroe = []'},
        "message.toml:3: check.ignroe: unknown key 'ignroe'; did you mean 'ignore'?",
    ),
    (
        {"message.toml": EMAIL + '[[email.attachments]]\nfile = "a"'},
        "message.toml:5: email.attachments[0].file: 'a': there is no such file",
    ),
    ({"message.toml": EMAIL + '[[email.attachments]]\nfile = "a\\u0000"'}, "is no file name"),
    (
        {"message.toml": EMAIL + "[[email.attachments]]\nfile = 1"},
        "expected a string, got an integer",
    ),
    (
        {"message.toml": EMAIL + '[[email.attachments]]\ncid = "a"'},
        "message.toml:4: email.attachments[0]: an attachment needs file, content or content_from",
    ),
    (
        {"message.toml": EMAIL + '[[email.attachments]]\nfile = "a"\ncontent = ""'},
        "file or content, not both",
    ),
    (
        {"message.toml": LOCALES + EMAIL, "email.fr.mjml": "x"},
        "welcome/email.fr.mjml:1: email.variants.fr: 'fr' is none of the message's locales; they "
        "are en, cs, en-GB",
    ),
    (
        {"message.toml": LOCALES + EMAIL, "email.CS.mjml": "x"},
        "welcome/email.CS.mjml:1: email.variants.CS: 'CS' is none of the message's locales; did "
        "you mean 'cs'?",
    ),
    (
        {"message.toml": LOCALES + EMAIL + '[email.variants.en_GB]\nsubject = "x"'},
        "message.toml:5: email.variants.en_GB: 'en_GB' is none of the message's locales; did you "
        "mean 'en-GB'?",
    ),
    (
        {"message.toml": EMAIL, "email.de.html": "x"},
        "email.de.html:1: email.variants.de: 'de' is none of the message's locales; it has none: "
        'add locales = ["en", ...]',
    ),
]


@pytest.mark.parametrize(("files", "words"), ERRORS)
def test_errors_name_file_line_and_key(
    folder: Path, files: dict[str, str | bytes], words: str
) -> None:
    """Whatever is wrong in a folder, the error leads to the place."""
    write(folder, files)
    assert words in refusal(folder)


@given(
    st.dictionaries(
        st.sampled_from(("title", "email", "push", "http", "data", "check", "locales")),
        st.text(max_size=3) | st.integers() | extras,
    ),
    st.binary(max_size=20) | st.just(b"{}"),
)
@settings(max_examples=100, deadline=None)
def test_no_folder_crashes_the_loader(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any], raw: bytes
) -> None:
    """Any TOML and any bytes beside it are a Message or a MessageError, and it survives."""
    folder = tmp_path_factory.mktemp("m")
    text = tomli_w.dumps(without_null({"title": "T", **document}))
    write(folder, {"message.toml": text, "email.html": raw, "http.json": raw})
    try:
        message = load_message(folder)
    except MessageError:
        return
    save_message(message, folder / "again")
    assert msgspec.structs.replace(load_message(folder / "again"), id=message.id) == message


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("email.mjm", "email.mjml"), ("emial.html", "email.html"), ("Email.html", "email.html"),
        ("email.htm", "email.html"), ("email.toolonglocale.mjml", "email.mjml"),
        ("email.cs.htm", "email.cs.html"), ("emal.cs.txt", "email.cs.txt"),
        ("push.io.json", "push.ios.json"), ("http.jsn", "http.json"),
        ("mesage.toml", "message.toml"), ("sample.csv", "samples.csv"),
        ("email.html.jinja", "email.html"),
    ],
)  # fmt: skip
def test_a_misspelt_file_is_named_with_the_right_name(folder: Path, name: str, right: str) -> None:
    """A body that would silently not be sent is an error instead."""
    write(folder, {"message.toml": EMAIL, name: ""})
    assert f"unknown file '{name}'; did you mean '{right}'?" in refusal(folder)


def test_messages_are_the_folders_with_a_message_toml(tmp_path: Path) -> None:
    """Ids are paths below the root; names with a leading _ or . and samples are none."""
    root = tmp_path / "messages"
    for name in ("b", "a", "shop/order", "_layouts", ".git", "_partials/x", "a/snapshots/old"):
        write(root / name, {"message.toml": 'title = "T"'})
    (root / "empty").mkdir()
    assert message_ids(root) == ["a", "b", "shop/order"]
    assert [message.id for message in load_messages(root)] == ["a", "b", "shop/order"]


def test_wrong_data_names_the_line_that_declares_it(folder: Path) -> None:
    """Each problem has its own line of [data]; the declarations stay equal to plain text."""
    toml = (
        'title = "T"\n[data]\ntotal = "decimal"\n'
        'when = {type = "date", default = "2026-01-01"}\n'
        '[data.order]\nlines = [{name = "string"}]\n'
    )
    write(folder, {"message.toml": toml})
    message = load_message(folder, root=folder.parent)
    assert message.data["when"] == {"type": "date", "default": "2026-01-01"}
    with pytest.raises(DataError) as raised:
        check_data(message.data, {"total": "1,5", "when": "x", "order": {"lines": [{}]}})
    assert str(raised.value) == (
        "messages/welcome/message.toml:3: total: expected a decimal such as 12.50, got a string "
        "that is none\n"
        "messages/welcome/message.toml:4: when: expected a date such as 2026-05-01, got a string "
        "that is none\n"
        "messages/welcome/message.toml:6: order.lines[0].name: is missing"
    )


def test_a_misspelt_id_is_named_with_the_near_one(folder: Path) -> None:
    """`welcom` is near `welcome`."""
    write(folder, {"message.toml": EMAIL})
    assert "did you mean 'welcome'?" in refusal(folder.parent / "welcom")


def test_a_missing_root_is_a_configuration_error(tmp_path: Path) -> None:
    """Listing messages of a project without the folder says so."""
    with pytest.raises(ConfigError, match="there is no such folder of messages"):
        message_ids(tmp_path / "nope")
