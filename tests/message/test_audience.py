"""Recipients from JSON, JSON lines and CSV, and choosing among them."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vero_deliver import User
from vero_deliver.audience import Recipient, read_recipients, samples, select
from vero_deliver.errors import ConfigError

DECLARED = {"month": "string", "statement": {"id": "string"}}


def read(tmp_path: Path, name: str, content: str | bytes) -> list[Recipient]:
    raw = content if isinstance(content, bytes) else content.encode()
    (tmp_path / name).write_bytes(raw)
    return list(read_recipients(tmp_path / name, declared=DECLARED))


def test_a_json_object_is_one_recipient(tmp_path: Path) -> None:
    """user, event, and everything else as data; $schema is for editors."""
    text = '{"$schema": "x", "user": {"id": 1, "first_name": "Ada"}, "event": {"a": 1}, "month": 5}'
    [ada] = read(tmp_path, "ada.json", text)
    assert ada == Recipient(
        User(id="1", attributes={"first_name": "Ada"}), {"month": 5}, "ada", {"a": 1}
    )


def test_arrays_and_json_lines_are_many(tmp_path: Path) -> None:
    """Labels are email, id or number."""
    users = ['{"user": {"email": "a@x.example"}}', '{"user": {"id": "7"}}', '{"month": "May"}']
    array = read(tmp_path, "all.json", f"[{','.join(users)}]")
    assert [r.label for r in array] == ["a@x.example", "7", "#3"]
    assert read(tmp_path, "all.jsonl", "\n\n".join(users)) == array


def test_csv_columns_go_to_user_event_and_data(tmp_path: Path) -> None:
    """Empty cells are absent, dots nest."""
    text = (
        "\ufeffemail,phone_number,first_name,user.address.city,event.total,month,statement.id\r\n"
        'a@x.example,+420,"Ada, L",Praha,12,May,st_1\r\n'
        "\r\n"
        "b@x.example,,,,,,\r\n"
    )
    ada, bob = read(tmp_path, "all.csv", text)
    attributes = {"first_name": "Ada, L", "address": {"city": "Praha"}}
    assert ada.user == User(email="a@x.example", phone="+420", attributes=attributes)
    assert ada.event == {"total": "12"}
    assert ada.data == {"month": "May", "statement": {"id": "st_1"}}
    assert bob == Recipient(User(email="b@x.example"), {}, "b@x.example", {})


@pytest.mark.parametrize("mark", [";", "\t"])
def test_spreadsheets_with_other_separators_are_read(tmp_path: Path, mark: str) -> None:
    """Some countries' CSV has semicolons."""
    [row] = read(tmp_path, "all.csv", f"id{mark}plan\n1{mark}pro, yearly\n")
    assert row.user == User(id="1", attributes={"plan": "pro, yearly"})


def test_separators_in_quotes_do_not_count(tmp_path: Path) -> None:
    """A comma within a quoted name does not make a table of semicolons one of commas."""
    [row] = read(tmp_path, "all.csv", '\n"Name, first, last";id;x\nAda;1;2\n')
    assert row.user.attributes == {"Name, first, last": "Ada", "x": "2"}


@pytest.mark.parametrize("header", ["email,mail", "email,mobile", "id,user.Mail", "id,statement"])
def test_columns_that_are_meant_so_are_read(tmp_path: Path, header: str) -> None:
    """A near name is no mistake beside the right one, after `user.`, or declared."""
    [row] = read(tmp_path, "all.csv", f"{header}\na@x.example,1\n")
    assert row.row == 1


def test_what_is_declared_is_no_misplaced_user(tmp_path: Path) -> None:
    """A message may declare `id` or `users` as its data."""
    (tmp_path / "a.json").write_text('{"id": 5, "users": {"a": 1}}')
    [one] = read_recipients(tmp_path / "a.json", declared={"id": "integer", "users": "object"})
    assert one.data == {"id": 5, "users": {"a": 1}}


def test_csv_is_read_as_it_is_asked_for() -> None:
    """The first recipient of an endless table comes at once."""

    class Endless(io.BytesIO):
        def __init__(self) -> None:
            self.lines = itertools.chain([b"id,plan\n"], itertools.repeat(b"1,pro\n"))

        def __iter__(self) -> Iterator[bytes]:
            return self.lines

    assert next(read_recipients(Endless())).user.id == "1"


@pytest.mark.parametrize(
    "text",
    [
        "id\n1\n2\n",
        '[{"user": {"id": "1"}},\n{"user": {"id": "2"}}]',
        '\n{"user": {"id": "1"}}\n{"user": {"id": "2"}}\n',
    ],
)
def test_a_stream_tells_its_kind_by_how_it_begins(text: str) -> None:
    """CSV, a JSON array or JSON lines on standard input."""
    assert [r.user.id for r in read_recipients(io.BytesIO(text.encode()))] == ["1", "2"]


def test_one_json_object_over_many_lines_is_a_stream_too() -> None:
    """It is not JSON lines, though it begins like them."""
    [one] = read_recipients(io.BytesIO(b'{\n"user": {"id": "1"}}'))
    assert one.user.id == "1"


ERRORS: list[tuple[str, str | bytes, str]] = [
    ("a.json", '{"user":\n 5}', "a.json:2: user: expected an object, got an integer"),
    ("a.json", '{"user": false}', "a.json:1: user: expected an object, got a boolean"),
    (
        "a.json",
        '{"user": {\n"email": 5}}',
        "a.json:2: user.email: expected a string, got an integer",
    ),
    ("a.json", '{"user": {"id": true}}', "a.json:1: user.id: expected a string, got a boolean"),
    ("a.json", '{"user": {"attributes": 5}}', "a.json:1: user.attributes: expected an object"),
    ("a.json", '{"user": {"devices": [{"token": "t"}]}}', "missing key 'platform'"),
    ("a.json", '{"event":\n[]}', "a.json:2: event: expected an object, got a list"),
    ("a.json", '{"a": 1,\n"a": 2}', "a.json:2: the key a is there twice"),
    ("a.json", "{\n,", "a.json:2: not valid JSON"),
    ("a.json", '{"a": "\\ud800"}', "a.json:1: a: holds half a surrogate pair"),
    ("a.json", "[1,\n2]", "a.json:1: [0]: expected an object with a user, got an integer"),
    ("a.json", b'{"a": "\n\xff"}', "a.json:2: not UTF-8"),
    ("a.json", "[" * 100_000, "a.json:1: nested too deeply"),
    ("a.jsonl", '{"user": {}}\n{"user": 5}\n', "a.jsonl:2: user: expected an object"),
    ("a.jsonl", '{"user": {}}\n{\n', "a.jsonl:2: not valid JSON"),
    ("a.csv", b"id\n1\n\xff\n", "a.csv:3: not UTF-8"),
    ("a.csv", "id\n1\n".encode("utf-16"), "a.csv:1: not UTF-8 (UTF-16)"),
    ("a.csv", 'id,a\n1,"x\ny"\n2,"open\n', "a.csv:4: not valid CSV"),
    ("a.csv", "id,id\n", "a.csv:1: columns user.id and user.id clash"),
    ("a.csv", "phone,phone_number\n", "clash"),
    ("a.csv", "city.x,city\n", "a.csv:1: columns user.city.x and user.city clash"),
    ("a.csv", "id,a..b\n", "a.csv:1: column 'a..b' has an empty part"),
    ("a.csv", "id,\n1,\n2,x\n", "a.csv:3: a cell has no column name above it"),
    ("a.csv", "id\n1,x\n", "a.csv:2: a cell has no column name above it"),
    ("a.csv", "id,locale.x\n1,y\n", "a.csv:2: user.locale: expected a string, got an object"),
    ("a.yaml", "", "a.yaml: recipients come from a .json, .jsonl or .csv file"),
    ("a.xlsx", "", "a.xlsx: is an Excel workbook; save it as CSV UTF-8"),
    ("a.csv", b"PK\x03\x04\x14\0", "a.csv: is an Excel workbook; save it as CSV UTF-8"),
    ("a.json", b"\x1f\x8b\x08", "a.json: is compressed (gzip); unpack it first"),
    ("a.jsonl", b"\x7fELF\0", "a.jsonl: is no text file"),
    ("a.csv", "Email,name\n", "a.csv:1: there is no column 'email'; did you mean it by 'Email'?"),
    ("a.csv", "id,E-mail\n", "did you mean it by 'E-mail'?"),
    ("a.csv", "id;e-mail address\n", "did you mean it by 'e-mail address'?"),
    ("a.csv", "mail\n", "did you mean it by 'mail'?"),
    ("a.csv", "email,Phone Number\n", "there is no column 'phone'; did you mean it by 'Phone"),
    ("a.csv", "id,mobile\n", "there is no column 'phone'; did you mean it by 'mobile'?"),
    ("a.csv", "a@x.example,Ada\n", "a.csv:1: the first row names the columns, and 'a@x.example'"),
    ("a.csv", "+447700900123\n", "and '+447700900123' is no name; put a row above it, as `phone`"),
    (
        "a.jsonl",
        '{}\n{"email": "a@x.example"}',
        'a.jsonl:2: email: belongs inside `user`: {"user": {"email": ...}}',
    ),
    ("a.json", '[{\n"phone": "+1"}]', "a.json:2: [0].phone: belongs inside `user`"),
    ("a.json", '{"usr": {"id": "1"}}', "a.json:1: usr: did you mean 'user'?"),
    ("a.json", '{"User": {"id": "1"}}', "a.json:1: User: did you mean 'user'?"),
]


@pytest.mark.parametrize(("name", "content", "words"), ERRORS)
def test_errors_name_file_and_line(
    tmp_path: Path, name: str, content: str | bytes, words: str
) -> None:
    """Recipient files are checked as strictly as messages."""
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, name, content)
    assert words in str(raised.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """No FileNotFoundError reaches the caller."""
    for name in ("a.json", "a.csv"):
        with pytest.raises(ConfigError, match="cannot be read: No such file"):
            list(read_recipients(tmp_path / name))


def test_samples_are_the_folder_s_json_files_and_table(tmp_path: Path) -> None:
    """By name; the table's columns follow the message's own [data]."""
    (tmp_path / "samples").mkdir()
    (tmp_path / "message.toml").write_text('title = "T"\n[data]\nmonth = "string"\n')
    (tmp_path / "samples/long.json").write_text('{"user": {"id": 2}}')
    (tmp_path / "samples/ada.json").write_text('{"user": {"id": 1}}')
    (tmp_path / "samples.csv").write_text("id,month\n3,May\n")
    assert [(r.label, r.user.id) for r in samples(tmp_path)] == [
        ("ada", "1"), ("long", "2"), ("3", "3"),
    ]  # fmt: skip
    assert samples(tmp_path)[2].data == {"month": "May"}


def test_a_folder_without_samples_has_none(tmp_path: Path) -> None:
    """Samples are optional."""
    assert samples(tmp_path) == []


PEOPLE = [
    Recipient(User(id="1", email="Ada@x.example", attributes={"plan": "pro"}), {"n": 5}, "ada"),
    Recipient(User(id="2", email="bob@x.example", attributes={"plan": "pro"}), {}, "bob"),
    Recipient(User(id="3"), {}, "#1", {"total": 7}),
]


@pytest.mark.parametrize(
    ("who", "labels"),
    [
        ("ada", ["ada"]), ("#2", ["bob"]), ("#1", ["#1"]), ("ada@X.example", ["ada"]),
        ("plan=pro", ["ada", "bob"]), ("user.id=3", ["#1"]), ("n=5", ["ada"]),
        ("event.total=7", ["#1"]),
    ],
)  # fmt: skip
def test_to_names_recipients(who: str, labels: list[str]) -> None:
    """A label wins over a number, a number over an email, an email over a field."""
    assert [r.label for r in select(PEOPLE, who)] == labels


def test_to_names_several_recipients() -> None:
    """In the order asked for, each of them once."""
    assert [r.label for r in select(PEOPLE, "bob", "plan=pro", "#2")] == ["bob", "ada"]


@pytest.mark.parametrize("who", ["adda", "#0", "#9", "plan=free", "plan.x=1", "", "#²"])
def test_nobody_found_is_an_error_with_near_names(who: str) -> None:
    """The error lists who is there."""
    with pytest.raises(ConfigError) as raised:
        select(PEOPLE, who)
    assert "among 3; near: " in str(raised.value)


def test_a_large_table_is_read_in_linear_time() -> None:
    """A hundred thousand rows take seconds, not minutes."""
    rows: Any = itertools.chain([b"id,email,plan\n"], (b"%d,a@x,pro\n" % i for i in range(100_000)))
    stream = io.BytesIO(b"".join(rows))
    assert sum(1 for _ in read_recipients(stream)) == 100_000
