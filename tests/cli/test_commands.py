"""The command line, command by command: what it prints, where, and how it ends."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from calling import fresh, run

from vero_deliver.cli import SECTIONS

EXAMPLES = str(Path(__file__).parents[2] / "examples")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh project."""
    return fresh(tmp_path)


def test_init_makes_a_project_that_is_well(project: Path) -> None:
    """Settings, schema, one message, three samples, an ignored folder; doctor finds no fault."""
    assert (project / ".gitignore").read_text() == "captured/\noutbox.db*\n"
    schema = json.loads((project / ".vero/schema/message.schema.json").read_text())
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    folder = project / "messages/welcome"
    first = (folder / "message.toml").read_text().splitlines()[0]
    assert (folder / first.removeprefix("#:schema ")).resolve().is_file()
    assert len(list((folder / "samples").glob("*.json"))) == 3
    done = run("-C", str(project), "doctor")
    assert done.exit_code == 0, done.output
    assert "welcome: email; rendered for 3 samples (en)" in done.stdout


def test_init_makes_the_folder_that_it_is_given(tmp_path: Path) -> None:
    """Outside a project the name is the project's folder."""
    done = run("-C", str(tmp_path), "init", "shop")
    assert done.exit_code == 0
    assert (tmp_path / "shop/messages/welcome/message.toml").is_file()
    assert f"cd {tmp_path / 'shop'}" in done.stderr


def test_init_takes_a_path(tmp_path: Path) -> None:
    """Outside a project the folder may be anywhere."""
    assert run("-C", str(tmp_path), "init", str(tmp_path / "a/My shop")).exit_code == 0
    assert (tmp_path / "a/My shop/vero-deliver.toml").is_file()


def test_init_again_keeps_what_is_there(project: Path) -> None:
    """Nothing that somebody wrote is overwritten."""
    settings = project / "vero-deliver.toml"
    settings.write_text('language = "cs"\n')
    done = run("-C", str(project), "init")
    assert done.exit_code == 0
    assert settings.read_text() == 'language = "cs"\n'
    assert "name a message" in done.stderr


def test_init_adds_a_message(project: Path) -> None:
    """A name adds a message; the same name again is refused; a path out is refused."""
    assert run("-C", str(project), "init", "billing/overdue").exit_code == 0
    text = (project / "messages/billing/overdue/message.toml").read_text()
    assert 'title = "Overdue"' in text
    assert "../../../.vero/schema" in text
    again = run("-C", str(project), "init", "billing/overdue")
    assert again.exit_code == 2
    assert "is a message already" in again.stderr
    assert run("-C", str(project), "init", "../evil").exit_code == 2


def test_no_project() -> None:
    """Outside a project the error says how to make one."""
    done = run("-C", "/", "preview")
    assert done.exit_code == 2
    assert "`vero-deliver init` makes one" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prevew"], "Did you mean 'preview'?"),
        (["-C", EXAMPLES, "render", "order-recipt"], "did you mean 'order-receipt'?"),
        (["-C", EXAMPLES, "-e", "lokal", "doctor"], "did you mean 'local'?"),
        (["-C", EXAMPLES, "render", "order-receipt", "-t", "adda"], "ada"),
        (["-C", EXAMPLES, "render", "order-receipt", "-c", "sms"], "no sms content; it has email"),
        (["-C", EXAMPLES, "render", "order-receipt", "--now", "noon"], "is no time"),
        (["-C", EXAMPLES, "render", "order-receipt", "--data", "/nope.json"], "/nope.json"),
        (["-C", EXAMPLES, "render", "order-shipped", "-c", "push", "-f", "eml"], "not fit push"),
        (["-C", EXAMPLES, "send", "order-receipt"], "say whom to send to"),
        (["-C", EXAMPLES, "send", "order-receipt", "--to", "ada"], "is no address"),
        (["-C", EXAMPLES, "send", "order-shipped", "--to", "a@b.example"], "pass --yes"),
    ],
)  # fmt: skip
def test_wrong_usage_says_what_is_right(arguments: list[str], words: str) -> None:
    """Usage and configuration errors end with 2 and name the way out; stdout stays empty."""
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    assert words in done.stderr
    assert done.stdout == ""


def test_render_formats() -> None:
    """Each content in its own format by default, and in those asked for."""
    common = ("-C", EXAMPLES, "render", "order-shipped", "-t", "ada")
    eml = message_from_bytes(run(*common).stdout_bytes, policy=policy.default)
    assert eml["Subject"] == "Order BR-20417 is on its way"
    assert run(*common, "-f", "html").stdout.startswith("<!DOCTYPE html>")
    assert "Royal Mail" in run(*common, "-f", "text").stdout
    push = json.loads(run(*common, "-c", "push").stdout)
    assert (push["content"], push["ttl"], push["device"]["platform"]) == ("push", 172800, "ios")
    assert run(*common, "-c", "sms").stdout.startswith("Bramble: order BR-20417")


def test_render_http(project: Path) -> None:
    """An http content is printed as the request that would go out."""
    folder = project / "messages/hook"
    folder.mkdir()
    (folder / "message.toml").write_text('title = "H"\n[http]\nurl = "https://h.example/x?y=1"\n')
    (folder / "http.json").write_text('{"id": "{{ user.id }}"}')
    people = project / "people.json"
    people.write_text('{"user": {"id": 7}}')
    done = run("-C", str(project), "render", "hook", "--data", str(people))
    assert done.stdout_bytes == (
        b"POST /x?y=1 HTTP/1.1\r\nHost: h.example\r\nContent-Type: application/json\r\n"
        b'Content-Length: 11\r\n\r\n{"id": "7"}'
    )


TEXTS = """
[channels.texts]
driver = "vonage"
api_key = "a1b2c3"
api_secret = { env = "VONAGE_SECRET" }
[routes.night]
channel = "texts"
quiet_hours = "21:00-08:00"
[env.prod]
sms = "night"
"""


def test_render_http_is_the_channels_request(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text message as its provider would get it, credentials masked; in dev nothing is asked."""
    folder = project / "messages/code"
    folder.mkdir()
    (folder / "message.toml").write_text(
        'title = "C"\n[sms]\nbody = "Code {{ n }}"\nfrom = "VERO"\n'
    )
    with (project / "vero-deliver.toml").open("a") as file:
        file.write(TEXTS)
    monkeypatch.setenv("VONAGE_SECRET", "s3cret-0123456789")
    (project / "one.json").write_text('{"user": {"phone": "+420601000001"}, "n": 7}')
    ada = ("render", "code", "-d", str(project / "one.json"), "-f", "http", "--key", "k")
    done = run("-C", str(project), "-e", "prod", *ada)
    head, _, body = done.stdout_bytes.decode().partition("\r\n\r\n")
    assert head.startswith("POST /v1/messages HTTP/1.1\r\n"), done.stderr
    assert "authorization: ***" in head
    assert json.loads(body)["text"] == "Code 7"
    assert json.loads(body)["client_ref"] == "k-sms"
    assert "s3cret" not in done.stdout
    in_dev = run("-C", str(project), *ada)
    assert in_dev.exit_code == 2
    assert "its channel here makes no request: try --env" in in_dev.stderr


@pytest.mark.parametrize(("fmt", "ending"), [("text", "txt"), ("http", "http")])
def test_files_end_in_what_they_hold(project: Path, fmt: str, ending: str) -> None:
    """`-f text` writes .txt, which every system opens."""
    folder = project / "messages/hook"
    folder.mkdir()
    (folder / "message.toml").write_text('title = "H"\n[http]\nurl = "https://h.example/"\n')
    call = ("-C", str(project), "render", "hook", "-d", "-", "-f", fmt, "-o", f"{project}/out/")
    assert run(*call, stdin='{"user": {"id": "7"}}').exit_code == 0
    assert [path.name for path in (project / "out").iterdir()] == [f"7.http.{ending}"]


def test_render_all_into_a_folder(tmp_path: Path) -> None:
    """One file per user; to one file is refused."""
    out = f"{tmp_path}/out/"
    done = run("-C", EXAMPLES, "render", "order-receipt", "--all", "-f", "html", "-o", out)
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in Path(out).iterdir())
    assert names == ["ada.email.html", "jana.email.html", "long.email.html"]
    refused = run("-C", EXAMPLES, "render", "order-receipt", "--all", "-o", f"{tmp_path}/one.eml")
    assert refused.exit_code == 2
    assert not (tmp_path / "one.eml").exists()


def test_render_is_repeatable() -> None:
    """The same key and clock give the same bytes; another key other ones."""
    common = ("-C", EXAMPLES, "render", "newsletter", "--now", "2026-11-23T12:00:00")
    first, second = run(*common, "--key", "a"), run(*common, "--key", "a")
    assert first.stdout_bytes == second.stdout_bytes
    assert first.stdout_bytes != run(*common, "--key", "b").stdout_bytes


def test_preview_draws_every_content() -> None:
    """Subject, text, push, sms and the digest of the bytes; no colour codes in a pipe."""
    done = run("-C", EXAMPLES, "preview", "--terminal", "order-shipped", "-t", "ada")
    assert done.exit_code == 0, done.output
    for words in ("Order BR-20417 is on its way", "Your parcel is on its way", "BRAMBLE", "sha256"):
        assert words in done.stdout
    assert "\x1b[" not in done.stdout
    coloured = run(
        "--color", "always", "-C", EXAMPLES, "preview", "--terminal", "order-shipped", "-t", "ada"
    )
    assert "\x1b[" in coloured.stdout


def test_preview_of_everything() -> None:
    """Without a message every message is drawn, for its first sample."""
    done = run("-C", EXAMPLES, "preview", "--terminal")
    assert done.exit_code == 0, done.output
    for title in ("Monthly newsletter", "Order receipt", "Order shipped"):
        assert title in done.stdout


def test_send_dry_run_hands_nothing_over(project: Path) -> None:
    """--dry-run renders all and writes nothing."""
    done = run("-C", str(project), "send", "welcome", "--to", "ada@example.com", "--dry-run")
    assert done.exit_code == 0, done.output
    assert "ready: email to ada@example.com" in done.stderr
    assert not (project / "captured").exists()


def test_send_to_an_address(project: Path) -> None:
    """--to an address needs no file; the mail is captured."""
    done = run("-C", str(project), "send", "welcome", "--to", "ada@example.com", "--yes", "--json")
    assert done.exit_code == 0, done.output
    [row] = json.loads(done.stdout)
    assert (row["state"], row["to"], row["channel"]) == ("accepted", "ada@example.com", "captured")
    assert Path(row["provider_id"]).is_file()


def test_send_never_uses_samples(project: Path) -> None:
    """A sample's name is nobody to send to."""
    done = run("-C", str(project), "send", "welcome", "--to", "ada", "--yes")
    assert done.exit_code == 2
    assert not (project / "captured").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("people.csv", "id,email,first_name\n1,a@b.example,Ada\n2,c@d.example,Cy\n"),
        (
            "people.jsonl",
            '{"user": {"email": "a@b.example"}}\n{"user": {"email": "c@d.example"}}\n',
        ),
        ("people.json", '[{"user": {"email": "a@b.example"}}, {"user": {"email": "c@d.example"}}]'),
    ],
)
def test_send_from_files(project: Path, name: str, text: str) -> None:
    """CSV, JSON lines and JSON name users; --to picks among them."""
    file = project / name
    file.write_text(text)
    common = ("-C", str(project), "send", "welcome", "--data", str(file), "--yes", "--json")
    assert [row["to"] for row in json.loads(run(*common).stdout)] == ["a@b.example", "c@d.example"]
    picked = run(*common, "--to", "#2")
    assert [row["to"] for row in json.loads(picked.stdout)] == ["c@d.example"]


def test_send_from_stdin(project: Path) -> None:
    """`--data -` reads JSON lines from stdin."""
    stdin = '{"user": {"email": "a@b.example"}, "plan": "Pro"}\n'
    done = run("-C", str(project), "send", "welcome", "--data", "-", "--yes", "--json", stdin=stdin)
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)) == 1


def test_one_key_for_many_is_refused(project: Path) -> None:
    """A key names one user's delivery."""
    file = project / "p.csv"
    file.write_text("email\na@b.example\nc@d.example\n")
    done = run("-C", str(project), "send", "welcome", "-d", str(file), "--key", "k", "--yes")
    assert done.exit_code == 2
    assert "there are 2 users" in done.stderr


def test_some_cannot_be_rendered(project: Path) -> None:
    """The others are sent; the exit code says that not all were, the text says why and for whom."""
    (project / "messages/welcome/email.mjml").write_text(
        "<mjml><mj-body><mj-section><mj-column><mj-text>{{ user.first_name }}</mj-text>"
        "</mj-column></mj-section></mj-body></mjml>"
    )
    file = project / "p.csv"
    file.write_text("id,email,first_name\n1,a@b.example,Ada\n2,c@d.example,\n")
    done = run("-C", str(project), "send", "welcome", "-d", str(file), "--yes", "--json")
    assert done.exit_code == 1
    assert [row["state"] for row in json.loads(done.stdout)] == ["accepted", "unrendered"]
    assert "messages/welcome/email.mjml:1: there is no 'first_name'" in done.stderr


def test_doctor_finds_what_is_wrong(project: Path) -> None:
    """A broken sample and a secret that is not there are problems; exit code 1."""
    (project / "messages/welcome/samples/ada.json").write_text('{"user": {"email": "x"}}')
    with (project / "vero-deliver.toml").open("a") as file:
        file.write(
            '[channels.relay]\ndriver = "smtp"\nhost = "smtp.example.com"\nusername = "a"\n'
            'password = { env = "NOT_SET_ANYWHERE" }\n[env.prod]\nemail = "relay"\n'
        )
    done = run("-C", str(project), "-e", "prod", "doctor", "--json")
    assert done.exit_code == 1
    problems = {
        row["what"]: row["detail"] for row in json.loads(done.stdout) if row["state"] == "problem"
    }
    assert set(problems) == {"email", "welcome"}
    assert "NOT_SET_ANYWHERE is not set" in problems["email"]
    assert "ada" in problems["welcome"]


def test_doctor_config_names_origins(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting with where it comes from: file and line, environment, default."""
    monkeypatch.setenv("VERO_DELIVER_UNDEFINED", "blank")
    done = run("-C", str(project), "doctor", "--config", "--json")
    origins = {row["name"]: row["origin"] for row in json.loads(done.stdout)}
    assert origins["undefined"] == "VERO_DELIVER_UNDEFINED"
    assert origins["language"].endswith("vero-deliver.toml:2")
    assert origins["inliner"] == "default"


def test_doctor_config_masks_what_should_be_a_reference(project: Path) -> None:
    """A password written into the file by mistake is not repeated; a reference is shown."""
    with (project / "vero-deliver.toml").open("a") as file:
        file.write(
            '[channels.a]\ndriver = "smtp"\npassword = "hunter2"\n'
            '[channels.b]\ndriver = "smtp"\npassword = { env = "SMTP_PASSWORD" }\n'
        )
    for arguments in (["--config"], ["--config", "--json"]):
        done = run("-C", str(project), "doctor", *arguments)
        assert "hunter2" not in done.output
        assert "SMTP_PASSWORD" in done.stdout


def test_init_sees_a_project_in_pyproject(tmp_path: Path) -> None:
    """Under [tool.vero-deliver] a name is a new message, not a new project."""
    (tmp_path / "pyproject.toml").write_text('[tool.vero-deliver]\nlanguage = "cs"\n')
    assert run("-C", str(tmp_path), "init", "note").exit_code == 0
    assert (tmp_path / "messages/note/message.toml").is_file()


def test_quiet_is_quiet(project: Path) -> None:
    """-q leaves only errors on stderr."""
    done = run("-q", "-C", str(project), "send", "welcome", "--to", "a@b.example", "--yes")
    assert (done.exit_code, done.output) == (0, "")


def test_pyproject_serves_too(tmp_path: Path) -> None:
    """[tool.vero-deliver] in pyproject.toml is a project; vero-deliver.toml beside it wins."""
    (tmp_path / "pyproject.toml").write_text('[tool.vero-deliver]\nlanguage = "cs"\n')
    rows = json.loads(run("-C", str(tmp_path), "doctor", "--config", "--json").stdout)
    [language] = [row for row in rows if row["name"] == "language"]
    assert language["value"] == "cs"
    assert language["origin"].endswith("pyproject.toml:2")
    (tmp_path / "vero-deliver.toml").write_text('language = "de"\n')
    rows = json.loads(run("-C", str(tmp_path), "doctor", "--config", "--json").stdout)
    assert "de" in [row["value"] for row in rows]


def test_sections_name_every_command() -> None:
    """The help's one-liners are the commands' own."""
    for commands in SECTIONS.values():
        for name, line in commands.items():
            help_text = run(name, "--help").stdout
            assert line in " ".join(help_text.split())


def test_render_explains_itself(project: Path) -> None:
    """Whether the body is compiled once, in every language; and the line that is against it."""
    assert run("-C", str(project), "render", "welcome", "--explain").stdout == (
        "welcome email en: compiled once\n"
    )
    body = project / "messages/welcome/email.mjml"
    body.write_text(body.read_text().replace("<mj-column>", '<mj-column width="{{ plan }}">'))
    shown = run("-C", str(project), "render", "welcome", "--explain")
    assert shown.exit_code == 0
    assert shown.stdout == (
        "welcome email en: compiled for every recipient\n"
        "  messages/welcome/email.mjml:11: {{ plan }} makes an attribute that has to be constant\n"
    )
