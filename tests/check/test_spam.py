"""What spam filters on this machine say; the real ones where they are installed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from spam_filters import free_port, rspamd, spamd, speaking

from check.projects import FLAWLESS, Change, places, report
from vero_deliver.check import Options, Report
from vero_deliver.check.filters import Command, Rspamd, Spamd, find
from vero_deliver.errors import ConfigError

SPAMMY = """\
<p><font color="white" size="1">cheap viagra cialis</font> CLICK HERE to claim your prize of one
million dollars!!! Dear friend, this is not spam. Act now, risk free, 100% guaranteed, lose weight
and earn money while you sleep. Nigerian prince, bank transfer, western union, lottery winner.</p>
"""
REPORT = b"""\
Content preview: (0.0 points, 9.0 required)

Content analysis details:   (6.1 points, 5.0 required)

 pts rule name              description
---- ---------------------- --------------------------------------------------
-0.0 NO_RELAYS              Informational: message was not relayed via SMTP
 5.3 DRUGS_ERECTILE         Refers to an erectile drug
-0.1 DKIM_VALID             Message has at least one valid DKIM signature
 0.8 HTML_FONT_LOW_CONTRAST BODY: HTML font color similar or identical to
                            background
 0.0 HTML_MESSAGE           BODY: HTML included in message
"""
SAID = b"SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\nSpam: True ; 6.1 / 5.0\r\n\r\n%s"


def at(spamd: str, rspamd: str = "") -> dict[str, Change]:
    """The project with filters at those addresses."""
    other = rspamd or f"127.0.0.1:{free_port()}"
    table = f'[check]\nspamd = "{spamd}"\nrspamd = "{other}"\n'
    return {"/vero-deliver.toml": FLAWLESS["/vero-deliver.toml"] + table}


def checked(root: Path, change: dict[str, Change]) -> Report:
    return report(root, change, options=Options(spam=True))


def spammy(change: dict[str, Change]) -> dict[str, Change]:
    return {**change, "email.html": ("<p>Your order", f"{SPAMMY}<p>Your order")}


@pytest.fixture(scope="module")
def real_spamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with spamd(tmp_path_factory.mktemp("spamd")) as address:
        if address is None:
            pytest.skip("spamd is not installed")
        yield address


@pytest.fixture(scope="module")
def real_rspamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with rspamd(tmp_path_factory.mktemp("rspamd")) as address:
        if address is None:
            pytest.skip("rspamd is not installed")
        yield address


def test_spamd_has_nothing_against_a_good_message(tmp_path: Path, real_spamd: str) -> None:
    """What it says of the missing network does not count."""
    found = checked(tmp_path, at(real_spamd)).findings
    assert not [finding for finding in found if finding.severity != "info"]


def test_spamd_finds_spam(tmp_path: Path, real_spamd: str) -> None:
    """Rule by rule, at the body."""
    found = checked(tmp_path, spammy(at(real_spamd))).findings
    assert ("spam/filter-drugs-erectile", "email.html:1") in places(found)


def test_rspamd_has_nothing_against_a_good_message(tmp_path: Path, real_rspamd: str) -> None:
    """As spamd."""
    nobody = f"127.0.0.1:{free_port()}"
    found = checked(tmp_path, at(nobody, real_rspamd)).findings
    assert not [finding for finding in found if finding.severity != "info"]


def test_rspamd_counts_what_is_missing(real_rspamd: str) -> None:
    """Symbols with points, and the score that is enough."""
    host, _, port = real_rspamd.partition(":")
    verdict = Rspamd(host, int(port)).verdict(b"From: a@b.example\r\n\r\nviagra\r\n")
    assert verdict.required == 15
    assert {point.rule for point in verdict.points} >= {"MISSING_MID", "MISSING_TO"}


def test_the_command_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the daemon is; nothing is learnt from it, and no file is left."""
    path = shutil.which("spamassassin")
    if path is None:
        pytest.skip("spamassassin is not installed")
    monkeypatch.setenv("HOME", str(tmp_path))
    verdict = Command(path).verdict(f"From: a@b.example\n\n{SPAMMY}".encode())
    assert any(point.rule == "MISSING_MID" for point in verdict.points)
    assert not [point for point in verdict.points if point.rule == "NO_RELAYS"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_report_is_read(tmp_path: Path) -> None:
    """Points, names, words over several lines; the total of the report, not of the message."""
    with speaking(SAID % (len(REPORT), REPORT)) as (address, asked):
        found = checked(tmp_path, at(address)).findings
    assert places(found) == [
        ("spam/filter-drugs-erectile", "email.html:1"),
        ("spam/filter-html-font-low-contrast", "email.html:1"),
        ("spam/filter-score", "email.html:1"),
    ]
    texts = [finding.text for finding in found]
    assert texts[1] == (
        "HTML_FONT_LOW_CONTRAST: BODY: HTML font color similar or identical to background (0.8)"
    )
    assert [finding.severity for finding in found] == ["warning", "info", "error"]
    assert found[2].detail == "6.1 points, 5 are enough"
    sent = [request for request in asked if request.startswith(b"REPORT ")]
    assert len(sent) == 2
    length, body = re.fullmatch(
        rb"REPORT SPAMC/1.5\r\nContent-length: (\d+)\r\n\r\n(.*)", sent[0], re.DOTALL
    ).groups()  # type: ignore[union-attr]
    assert int(length) == len(body)
    assert b"Subject: Your order BR-1" in body


@pytest.mark.parametrize("reply", [b"", b"SPAMD/1.0 76 Bad header line\r\n\r\n", SAID % (2, b"no")])
def test_half_an_answer_is_no_verdict(tmp_path: Path, reply: bytes) -> None:
    """It is told once, as an error; the other rules have run."""
    with speaking(reply) as (address, _):
        [finding] = checked(tmp_path, at(address)).findings
    assert finding.text == "the spam filter gave no answer"
    assert finding.severity == "error"


def test_no_filter_is_said_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With where it was looked for, and what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"no spam filter is here: .*install spamassassin"):
        checked(tmp_path, at(f"127.0.0.1:{free_port()}"))


def test_spamd_comes_first() -> None:
    """Then rspamd, then the command, which is slower."""
    with speaking(b"") as (address, _):
        assert isinstance(find(address, f"127.0.0.1:{free_port()}"), Spamd)


@pytest.mark.parametrize("address", ["localhost", "localhost:x", ":783", "localhost:70000"])
def test_an_address_is_host_and_port(address: str) -> None:
    """Anything else is told before it is tried."""
    with pytest.raises(ConfigError, match="write host:port"):
        find(address, address)
