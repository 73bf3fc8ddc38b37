"""`vero-deliver domain` and `vero-deliver key`, in a project on disk, with a real DNS server."""

from __future__ import annotations

import hashlib
import json
import re
from email import message_from_bytes
from pathlib import Path

import dkim
import dns.zone
import pytest
from click.testing import CliRunner, Result
from dns_server import DnsServer, Fault, dns_server
from domain_samples import NEWS, RELAY, ed25519_pem, rsa_pem

from vero_deliver.cli import cli
from vero_deliver.domains import Lookup
from vero_deliver.errors import ConfigError
from vero_deliver.mime import return_path
from vero_deliver.project import Project
from vero_deliver.secret import Secret

BOUNCE_SECRET = "0123456789abcdef-bounces"
SETTINGS = f"""
[from]
email = "Shop <shop@{NEWS}>"
[domains."{NEWS}"]
selector = "v2"
key = {{ file = "secrets/v2.pem" }}
ed25519_selector = "v2e"
ed25519_key = {{ env = "ED25519_KEY" }}
return_path = "bounces.{NEWS}"
return_path_secret = {{ env = "BOUNCE_SECRET" }}
return_path_mx = "mx.example.com"
spf = "include:_spf.relay.example"
dmarc_reports = "mailto:dmarc@example.com"
[channels.relay]
driver = "eml"
folder = "relayed"
[channels.unsigned]
driver = "eml"
folder = "unsigned"
domains = []
[env.prod]
email = "relay"
[env.plain]
email = "unsigned"
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="vero-deliver")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one message, whose sender's domain is configured."""
    assert run("-C", str(tmp_path), "init").exit_code == 0
    (tmp_path / "vero-deliver.toml").write_text(SETTINGS)
    message = tmp_path / "messages/welcome/message.toml"
    message.write_text(re.sub(r"(?m)^from = .*\n", "", message.read_text()))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/v2.pem").write_text(rsa_pem())
    monkeypatch.setenv("ED25519_KEY", ed25519_pem())
    monkeypatch.setenv("BOUNCE_SECRET", BOUNCE_SECRET)
    return tmp_path


def check(shop: Path, dns: DnsServer, *arguments: str) -> Result:
    return run(
        "-C", str(shop), "domain", "check", "--nameserver", dns.address, "--timeout", "1",
        *arguments,
    )  # fmt: skip


def test_zone_then_check(shop: Path) -> None:
    """What `zone` prints is a zone file; published, `check` finds all well."""
    zone = run("-C", str(shop), "domain", "zone", NEWS)
    assert zone.exit_code == 0, zone.output
    parsed = dns.zone.from_text(zone.stdout, origin=".", check_origin=False, relativize=False)
    assert len(parsed.nodes) == 4
    assert max(map(len, re.findall(r'"(.*?)"', zone.stdout))) == 255
    with dns_server(zone.stdout + RELAY) as server:
        done = check(shop, server)
        assert done.exit_code == 0, done.output
        assert re.findall(r"(?m)^  (\w+)", done.stdout) == ["ok"] * 5
        rows = json.loads(check(shop, server, "--json").stdout)
    assert {row["state"] for row in rows} == {"ok"}
    assert {row["domain"] for row in rows} == {NEWS}


def test_check_says_what_to_publish(shop: Path) -> None:
    """Missing and wrong end with 1; what is there and what should be are told."""
    with dns_server(f'v2._domainkey.{NEWS}. 60 IN TXT "v=DKIM1; p=QUJD"\n') as server:
        done = check(shop, server, NEWS)
        rows = json.loads(check(shop, server, "--json").stdout)
    assert done.exit_code == 1
    assert "wrong    DKIM v2: v2._domainkey.news.example.com TXT: its p= is" in done.stdout
    assert "found    v=DKIM1; p=QUJD" in done.stdout
    assert "publish  v=DMARC1; p=none; rua=mailto:dmarc@example.com" in done.stdout
    assert [row["state"] for row in rows] == ["wrong", *["missing"] * 4]
    assert rows[0].keys() == {
        "domain", "what", "name", "type", "state", "detail", "wanted", "found",
    }  # fmt: skip


def test_check_while_dns_is_down(shop: Path) -> None:
    """All unknown: 75, try again; and a wrong record beside it outweighs that."""
    names = ("v2._domainkey", "v2e._domainkey", "bounces", "_dmarc")
    faults: dict[str, Fault] = {f"{name}.{NEWS}": "servfail" for name in names}
    with dns_server(faults=faults) as server:
        assert check(shop, server).exit_code == 75
        del server.faults[f"bounces.{NEWS}"]
        assert check(shop, server).exit_code == 1


def test_answers_cannot_steer_the_terminal(shop: Path) -> None:
    """Control characters of a record are replaced."""
    with dns_server(f'v2._domainkey.{NEWS}. 60 IN TXT "v=DKIM1; p=\\027[2Jx"\n') as server:
        done = check(shop, server)
    assert "\x1b" not in done.stdout
    assert "\ufffd[2Jx" in done.stdout


def test_nameserver_from_the_environment(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VERO_DELIVER_DOMAIN_CHECK_NAMESERVERS stands for --nameserver."""
    with dns_server() as server:
        monkeypatch.setenv("VERO_DELIVER_DOMAIN_CHECK_NAMESERVERS", server.address)
        assert run("-C", str(shop), "domain", "check").exit_code == 1
        assert server.asked


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "news.exmaple.com"], "there is no domain 'news.exmaple.com'; did you mean"),
        (["show", "other"], "there are news.example.com"),
        (["check", "--nameserver", "dns.example.com"], "write an IP address"),
        (["check", "--timeout", "0"], "--timeout"),
        (["zone"], "Missing argument 'DOMAIN'"),
        (["cehck"], "check"),
    ],
)
def test_wrong_usage(shop: Path, arguments: list[str], words: str) -> None:
    """2, and what would be right."""
    done = run("-C", str(shop), "domain", *arguments)
    assert (done.exit_code, words in done.stderr) == (2, True), done.output


def test_no_domains(tmp_path: Path) -> None:
    """In a project without domains `check` says how to write one."""
    (tmp_path / "vero-deliver.toml").write_text("")
    done = run("-C", str(tmp_path), "domain", "check")
    assert done.exit_code == 2
    assert '[domains."news.example.com"]' in done.stderr


def test_show(shop: Path) -> None:
    """Who signs, where bounces go, and the records; as JSON too; DNS is not asked."""
    done = run("-C", str(shop), "domain", "show", NEWS)
    assert "signs with v2 (rsa-sha256), v2e (ed25519-sha256)" in done.stdout
    assert f"bounces to bounces.{NEWS}" in done.stdout
    document = json.loads(run("-C", str(shop), "domain", "show", NEWS, "--json").stdout)
    assert [signer["selector"] for signer in document["signers"]] == ["v2", "v2e"]
    assert [record["type"] for record in document["records"]] == ["TXT", "TXT", "MX", "TXT", "TXT"]


def test_no_output_shows_a_secret(shop: Path) -> None:
    """Neither keys nor the secret of return paths, in any command."""
    with dns_server() as server:
        outputs = [
            check(shop, server).output,
            check(shop, server, "--json").output,
            *(
                run("-v", "-C", str(shop), *arguments).output
                for arguments in (
                    ["domain", "show", NEWS],
                    ["domain", "zone", NEWS],
                    ["doctor"],
                    ["doctor", "--config"],
                    ["preview", "--terminal", "welcome"],
                    ["-e", "prod", "doctor", "--json"],
                )
            ),
        ]
    shown = "".join(outputs)
    assert BOUNCE_SECRET not in shown
    for pem in (rsa_pem(), ed25519_pem()):
        assert not [line for line in pem.splitlines()[1:-1] if line in shown]


def test_render_shows_what_is_sent(shop: Path) -> None:
    """`render` prints the signed bytes that the channel writes; `preview` shows their digest."""
    about = ("--now", "2026-11-23T12:00:00", "--key", "k")
    people = shop / "people.json"
    people.write_text('{"user": {"id": "1", "email": "ada@example.com", "name": "Ada"}}')
    common = ("-C", str(shop), "-e", "prod")
    rendered = run(*common, "render", "welcome", "-d", str(people), *about)
    assert rendered.exit_code == 0, rendered.output
    sent = run(*common, "send", "welcome", "-d", str(people), "--yes", "--json", *about)
    assert sent.exit_code == 0, sent.output
    file = Path(json.loads(sent.stdout)[0]["provider_id"])
    assert file.read_bytes() == rendered.stdout_bytes
    assert message_from_bytes(rendered.stdout_bytes).get_all("DKIM-Signature") is not None
    address = return_path(
        json.loads(sent.stdout)[0]["key"], f"bounces.{NEWS}", Secret(BOUNCE_SECRET)
    )
    assert json.loads(file.with_suffix(".json").read_text())["from"] == address
    preview = run(*common, "preview", "--terminal", "welcome", "-d", str(people), *about).stdout
    assert hashlib.sha256(rendered.stdout_bytes).hexdigest()[:16] in preview
    assert f"v2._domainkey.{NEWS}" in preview
    assert address in re.sub(r"[\s│]+", "", preview)


def test_published_keys_verify_what_is_rendered(shop: Path) -> None:
    """The zone that `zone` prints, asked over DNS, is what a receiver needs; a lie is noticed."""
    raw = run("-C", str(shop), "-e", "prod", "render", "welcome", "-t", "ada").stdout_bytes
    with dns_server(run("-C", str(shop), "domain", "zone", NEWS).stdout) as server:
        lookup = Lookup([server.address])

        def published(name: bytes, timeout: int = 5) -> bytes | None:
            del timeout
            values = lookup.ask(name.decode().rstrip("."), "TXT").values
            return values[0].encode() if values else None

        assert [dkim.DKIM(raw).verify(at, dnsfunc=published) for at in (0, 1)] == [True, True]
        forged = raw.replace(b"Subject: ", b"Subject: Re: ")
        assert forged != raw
        assert [dkim.DKIM(forged).verify(at, dnsfunc=published) for at in (0, 1)] == [False, False]
    assert (f"v2e._domainkey.{NEWS}", "TXT") in server.asked


def test_channel_without_domains_does_not_sign(shop: Path) -> None:
    """`domains = []` in a channel's table leaves its emails as they are."""
    rendered = run("-C", str(shop), "-e", "plain", "render", "welcome")
    assert rendered.exit_code == 0, rendered.output
    assert b"DKIM-Signature" not in rendered.stdout_bytes


def test_without_the_key(shop: Path) -> None:
    """Bytes are not made without the key, and the error has the way out; a preview still is."""
    (shop / "secrets/v2.pem").unlink()
    for arguments in (["render", "welcome"], ["send", "welcome", "--to", "a@b.example", "--yes"]):
        done = run("-C", str(shop), *arguments)
        assert done.exit_code == 2, done.output
        assert "domains.'news.example.com'.key: " in done.stderr
        assert "with domains = [] it would not" in done.stderr
    assert run("-C", str(shop), "render", "welcome", "-f", "html").exit_code == 0
    preview = run("-C", str(shop), "preview", "--terminal", "welcome")
    assert preview.exit_code == 0
    assert "Shown unsigned: " in preview.stderr
    doctor = run("-C", str(shop), "doctor")
    assert doctor.exit_code == 1
    assert re.search(r"problem +news\.example\.com: ", doctor.stdout)


def test_doctor_names_unsigned_senders(shop: Path) -> None:
    """A message whose sender is below no domain is told, and one that is signed is not."""
    signed = run("-C", str(shop), "doctor")
    assert signed.exit_code == 0, signed.output
    assert f"{NEWS}: signs with v2 (rsa-sha256), v2e (ed25519-sha256); bounces to" in signed.stdout
    assert "; unsigned: " not in signed.stdout
    settings = shop / "vero-deliver.toml"
    settings.write_text(settings.read_text().replace(f"shop@{NEWS}", "shop@example.org"))
    assert "welcome: email; rendered for 3 samples (en); unsigned: shop@example.org" in run(
        "-C", str(shop), "doctor"
    ).stdout  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[domains."a.example"]\nselektor = "v1"', "'selektor'; did you mean 'selector'"),
        ('[domains."a.example"]\nkey = "-----BEGIN"', "secrets do not belong in this file"),
        ('[domains."a.example"]\nkey = { flie = "x" }', "did you mean 'file'"),
        ('[domains."a.example"]\nselector = 5', "selector: expected a string, got an integer"),
        ('[domains."a.example"]\ndmarc = "rejcet"', "did you mean 'reject'"),
        ('[domains."a.example"]\nother_selectors = "v1"', "other_selectors: expected a list"),
        ('[domains."a.example"]\nreturn_path = "b.example"', "belong together"),
        ('[domains.com]\nspf = "mx"', "two labels or more"),
        ('[channels.c]\ndriver = "eml"\ndomains = ["b.example"]', "no [domains.'b.example']"),
        ('[channels.c]\ndriver = "eml"\ndomains = "b.example"', "expected a list of names"),
        ('[channels.c]\ndriver = "eml"\ndomains = [["b"]]', "there is no [domains."),
    ],
)  # fmt: skip
def test_tables_are_checked(tmp_path: Path, text: str, words: str) -> None:
    """Each mistake is an error with file, line and key."""
    channel = "" if "channels" in text else '[channels.c]\ndriver = "eml"\n'
    settings = f'{text}\n{channel}[env.prod]\nemail = "c"\n'
    (tmp_path / "vero-deliver.toml").write_text(settings)
    project = Project.find(tmp_path, env="prod")
    with pytest.raises(ConfigError) as caught:
        project.deliverer(("email",))
    assert words in str(caught.value)
    assert re.match(r"\S*vero-deliver\.toml:\d", str(caught.value))
