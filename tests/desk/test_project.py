"""The project: settings, environments, channels and secrets."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from vero_channels.email.smtp import Smtp
from vero_deliver import Project
from vero_deliver.errors import ConfigError
from vero_deliver.references import resolve
from vero_deliver.secret import Secret

RELAY = """
[channels.relay]
driver = "smtp"
host = "smtp.example.com"
username = "shop"
password = { %s }
[env.prod]
email = "relay"
"""


def project(folder: Path, text: str, env: str = "dev") -> Project:
    """A project with that vero-deliver.toml."""
    (folder / "vero-deliver.toml").write_text(text)
    return Project.find(folder, env=env)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('langage = "en"', "toml:1: langage: unknown key 'langage'; did you mean 'language'?"),
        ("\nundefined = 3", "vero-deliver.toml:2: undefined: expected"),
        ("[from]\nmail = 'a@b.example'", "vero-deliver.toml:2: from.mail: unknown key"),
        ("x = ", "vero-deliver.toml:1: not valid TOML"),
        (
            '[env.prod]\nemail = "rely"\n[channels.relay]\ndriver = "smtp"',
            "toml:2: there is no channel 'rely'; did you mean 'relay'?",
        ),
        ('[env.prod]\nfax = "relay"', "env.prod.fax"),
    ],
)  # fmt: skip
def test_mistakes_name_line_and_key(tmp_path: Path, text: str, words: str) -> None:
    """File, line, key and the nearest right name."""
    with pytest.raises(ConfigError) as caught:
        project(tmp_path, text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            'driver = "smpt"\nhost = "h"',
            "toml:2: channels.c.driver: there is no driver 'smpt'; did you mean 'smtp'?",
        ),
        ('host = "h"', 'which driver? write driver = "smtp"'),
        ('driver = "smtp"\nhots = "h"', "unknown key 'hots'; did you mean 'host'?"),
        ('driver = "smtp"', "toml:1: channels.c: missing key 'host'"),
        ('driver = "json"', "driver 'json' does not carry email"),
        (
            'driver = "smtp"\nhost = "h"\nsecurity = "tsl"',
            "toml:4: channels.c.security: expected 'starttls' or 'tls' or 'none', got 'tsl'; "
            "did you mean 'tls'?",
        ),
        (
            'driver = "smtp"\nhost = "h"\nport = "25"',
            "toml:4: channels.c.port: expected an integer, got a string",
        ),
        (
            'driver = "smtp"\nhost = "h"\nport = true',
            "channels.c.port: expected an integer, got a boolean",
        ),
        (
            'driver = "smtp"\nhost = "h"\nverify = "no"',
            "channels.c.verify: expected true or false, got a string",
        ),
        (
            'driver = "smtp"\nhost = "h"\ntimeout = "5 s"',
            "channels.c.timeout: expected a number, got a string",
        ),
        ('driver = "smtp"\nhost = 5', "channels.c.host: expected a string, got an integer"),
        ('driver = "smtp"\nhost = "h"\ntoken = "t"', "toml:4: channels.c.token: is a function"),
        ('driver = "smtp"\nhost = "h"\nport = 99999', "toml:4: channels.c.port: port 99999"),
        ('driver = "smtp"\nhost = "h:25"', "toml:3: channels.c.host: host 'h:25': host and port"),
        (
            'driver = "smtp"\nhost = "h"\npassword = {evn = "PW"}',
            "toml:4: channels.c.password: unknown key 'evn'; did you mean 'env'?; write { env =",
        ),
        (
            'driver = "smtp"\nhost = "h"\npassword = {env = "PW", file = "f"}',
            "toml:4: channels.c.password: a reference has just one key; write { env =",
        ),
        ('driver = "smtp"\nhost = {env = 5}', "channels.c.host: env takes a string"),
        (
            'driver = "smtp"\nhost = "h"\nport = {env = "PW"}',
            "toml:4: channels.c.port: expected an integer, got a string",
        ),
        (
            'driver = "smtp"\nhost = "h.example"\nusername = "u"\npassword = {env="PW"}\n'
            'security = "none"',
            "in clear",
        ),
    ],
)  # fmt: skip
def test_channel_tables_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, words: str
) -> None:
    """Driver, keys and values, before anything is sent."""
    monkeypatch.setenv("PW", "x")
    text = f'[channels.c]\n{table}\n[env.prod]\nemail = "c"\n'
    with pytest.raises(ConfigError) as caught:
        project(tmp_path, text, "prod").deliverer()
    assert words in str(caught.value)


def test_secrets_come_by_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment, a file beside the project, or a command."""
    monkeypatch.setenv("PW", "s3cret")
    (tmp_path / "pw").write_text("s3cret\n")
    for reference in ({"env": "PW"}, {"file": "pw"}, {"cmd": "cat pw"}):
        secret = resolve(reference, tmp_path, "here")
        assert secret.reveal() == "s3cret"
        assert "s3cret" not in repr(secret) + str(secret)
    channel = project(tmp_path, RELAY % 'env = "PW"', "prod").channel("relay", "email")
    assert isinstance(channel, Smtp)
    assert "s3cret" not in repr(channel) + repr(vars(channel))


def test_a_secret_has_no_byte_order_mark(tmp_path: Path) -> None:
    """Windows editors put one first; no password begins with it."""
    (tmp_path / "pw").write_text("\ufeffs3cret\r\n", encoding="utf-8")
    for reference in ({"file": "pw"}, {"cmd": "cat pw"}):
        assert resolve(reference, tmp_path, "here").reveal() == "s3cret"


def test_a_choice_by_reference_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a reference gives may be secret, even where a plain word is expected."""
    monkeypatch.setenv("PW", "hunter2")
    text = '[channels.c]\ndriver = "smtp"\nhost = "h"\nauth = {env = "PW"}\n'
    with pytest.raises(ConfigError, match=r"channels.c.auth: expected 'auto'") as caught:
        project(tmp_path, text).channel("c", "email")
    assert "hunter2" not in str(caught.value)


def test_a_channel_that_is_not_there(tmp_path: Path) -> None:
    """The name is an error that says what there is."""
    with pytest.raises(ConfigError, match="no channel 'rely'; did you mean 'relay'"):
        project(tmp_path, RELAY % 'env = "PW"').channel("rely", "email")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ({"env": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE is not set"),
        ({"file": "nope"}, "cannot be read"),
        ({"cmd": "false"}, "ended with 1"),
        ({"cmd": "no-such-command-anywhere"}, "failed"),
        ({"cmd": "sh -c 'echo hunter2; exit 3'"}, "ended with 3"),
        ({"cmd": "false | head -1"}, "ended with 1; there is no shell: pipes and $VARS do not"),
        ({"cmd": "printf '\\377'"}, "not text in UTF-8"),
        ({"env": "EMPTY"}, "is empty"),
    ],
)
def test_references_that_lead_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: dict[str, str], words: str
) -> None:
    """The error says which reference, and nothing that the command printed."""
    monkeypatch.setenv("EMPTY", "")
    with pytest.raises(ConfigError) as caught:
        resolve(reference, tmp_path, "[channels.c] password")
    shown = "".join(traceback.format_exception(caught.value))
    assert words in str(caught.value)
    assert "[channels.c] password" in str(caught.value)
    assert "hunter2\n" not in shown


def test_secrets_are_not_pickled() -> None:
    """A pickle is a file, sooner or later."""
    import pickle

    with pytest.raises(TypeError):
        pickle.dumps(Secret("x"))


def test_dev_defaults_to_files(tmp_path: Path) -> None:
    """Without any channel, dev carries every content to captured/ below the project."""
    found = project(tmp_path, "")
    assert found.carrier("email") == "captured (eml)"
    assert found.carrier("push") == "captured (json)"
    assert set(found.deliverer().channels) == {"email", "push", "sms", "http"}
    assert str(tmp_path / "captured") in repr(found.channel("captured", "email"))


def test_other_environments_carry_only_what_they_name(tmp_path: Path) -> None:
    """prod without a push channel carries no push, rather than writing files nobody reads."""
    text = '[channels.box]\ndriver = "eml"\n[env.prod]\nemail = "box"\n'
    found = project(tmp_path, text, "prod")
    assert set(found.deliverer().channels) == {"email"}
    assert found.carrier("push") == "nothing"


def test_environment_beats_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VERO_DELIVER_* wins over the file, and is checked as the file is."""
    monkeypatch.setenv("VERO_DELIVER_LANGUAGE", "cs")
    assert project(tmp_path, 'language = "en"').settings.language == "cs"
    monkeypatch.setenv("VERO_DELIVER_UNDEFINED", "lenient")
    with pytest.raises(ConfigError, match=r"^VERO_DELIVER_UNDEFINED: undefined: expected"):
        project(tmp_path, "")


def test_nearest_project_upward(tmp_path: Path) -> None:
    """From a folder below, the project above is found."""
    project(tmp_path, 'language = "cs"')
    below = tmp_path / "messages/x"
    below.mkdir(parents=True)
    assert Project.find(below).root == tmp_path


def test_messages_by_id_or_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id, or the path of the folder as a shell completes it."""
    found = project(tmp_path, "")
    folder = tmp_path / "messages/a/b"
    folder.mkdir(parents=True)
    (folder / "message.toml").write_text('title = "B"\n[sms]\nbody = "x"\n')
    monkeypatch.chdir(tmp_path)
    assert found.message("a/b") == found.message("messages/a/b/") == found.message(str(folder))
    with pytest.raises(ConfigError, match="did you mean 'a/b'"):
        found.message("a/c")
    with pytest.raises(ConfigError, match=r"'a'.*; below it there is a/b"):
        found.message("a")
    (tmp_path / "messages/new").mkdir()
    (tmp_path / "messages/new/mesage.toml").touch()
    with pytest.raises(ConfigError, match=r"messages/new/ has no message.toml; rename .*/mesage"):
        found.message("new")
    assert os.fspath(found.folder("a/b")) == os.fspath(folder)


HOOKS = """
[channels.hooks]
driver = "http"
signing_secrets = [{ env = "NEW" }, %s]
[env.prod]
http = "hooks"
"""


def test_a_list_of_secrets_is_a_list_of_references(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is looked up; one that is written out is refused and not shown."""
    secret = "whsec_" + "QUFB" * 8
    monkeypatch.setenv("NEW", secret)
    monkeypatch.setenv("OLD", secret)
    channel = project(tmp_path, HOOKS % '{ env = "OLD" }', "prod").channel("hooks", "http")
    assert secret not in repr(channel)
    for wrong, words in ((f'"{secret}"', "secrets do not belong"), ('{ env = "X" }', "not set")):
        with pytest.raises(ConfigError, match=rf"hooks.signing_secrets: .*{words}") as caught:
            project(tmp_path, HOOKS % wrong, "prod").channel("hooks", "http")
        assert secret not in str(caught.value)
