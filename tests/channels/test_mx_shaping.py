"""The shaping table: what is shipped, what a file of one's own changes, how mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from vero_channels.transport.egress.amounts import Bucket, rate, seconds
from vero_channels.transport.egress.automation import answer
from vero_channels.transport.egress.shaping import Shaping
from vero_channels.transport.egress.shaping_file import load
from vero_deliver.errors import ConfigError, Deferred

GMAIL = ["gmail-smtp-in.l.google.com", "alt1.gmail-smtp-in.l.google.com"]


def loaded(tmp_path: Path, *texts: str) -> Shaping:
    files: list[Path] = []
    for number, text in enumerate(texts):
        files.append(tmp_path / f"{number}.toml")
        files[-1].write_text(text)
    return load(files)


@pytest.mark.parametrize(
    ("domain", "host", "provider"),
    [
        ("gmail.com", "gmail-smtp-in.l.google.com", "google"),
        ("hotmail.com", "hotmail-com.olc.protection.outlook.com", "outlook"),
        ("shop.example", "shop-example.mail.protection.outlook.com", "office365"),
        ("shop.example", "shop-example.o-v1.mx.microsoft", "office365-dane"),
        ("yahoo.com", "mta5.am0.yahoodns.net", "yahoo"),
        ("icloud.com", "mx01.mail.icloud.com", "apple"),
        ("comcast.net", "mx1h1.comcast.net", "comcast"),
        ("shop.example", "mail.shop.example", ""),
        ("shop.example", "google.com.shop.example", ""),
    ],
)
def test_providers_by_their_hosts(domain: str, host: str, provider: str) -> None:
    """The large ones are known by the names of their hosts."""
    assert load().provider(domain, [host]) == provider


def test_every_host_has_to_be_the_providers() -> None:
    """A domain that mixes providers belongs to none of them."""
    assert load().provider("x.example", [*GMAIL, "backup.x.example"]) == ""


def test_shipped_figures() -> None:
    """Those that a sender would notice."""
    shaping = load()
    usual = shaping.shape("shop.example", "", "a")
    assert (usual.connection_limit, usual.max_deliveries_per_connection) == (10, 100)
    assert (str(usual.max_message_rate), str(usual.max_connection_rate)) == ("100/s", "100/min")
    assert (usual.idle_timeout, usual.remember_broken_tls) == (60, 3 * 86_400)
    google = shaping.shape("gmail.com", "google", "a")
    assert (google.enable_tls, google.max_deliveries_per_connection) == ("Required", 50)
    assert google.provider_connection_limit == 5
    assert shaping.shape("x", "apple", "a").max_deliveries_per_connection == 5
    assert shaping.shape("x", "yahoo", "a").max_deliveries_per_connection == 20


@pytest.mark.parametrize(
    ("provider", "words", "action"),
    [
        ("yahoo", "[TSS04] Messages from 192.0.2.1 temporarily deferred", "Suspend"),
        ("comcast", "RL000010 too many", "SuspendTenant"),
        ("", "All messages from 192.0.2.1 will be permanently deferred", "SetConfig"),
    ],
)
def test_shipped_rules(provider: str, words: str, action: str) -> None:
    """What large providers say is understood."""
    error = Deferred(f"RCPT TO <a@b.c> was refused: {words}", channel="mx", code="421 4.7.0")
    text = answer(error)
    assert text == f"421 4.7.0 {words}"
    rules = [rule for rule in load().rules("x.example", provider) if rule.matches(text)]
    assert action in [one.name for rule in rules for one in rule.actions]


def test_own_file_is_merged_over_it(tmp_path: Path) -> None:
    """Later files win option by option; default, provider, domain and then source."""
    shaping = loaded(
        tmp_path,
        '["default"]\nconnection_limit = 3\n'
        '[provider."google"]\nprovider_connection_limit = 9\n'
        '["gmail.com"]\nmax_deliveries_per_connection = 7\n'
        '["gmail.com".sources."slow"]\nconnection_limit = 1\n',
        '["gmail.com"]\nmax_message_rate = "5/s"\n',
    )
    shape = shaping.shape("gmail.com", "google", "a")
    assert (shape.connection_limit, shape.provider_connection_limit) == (3, 9)
    assert (shape.max_deliveries_per_connection, str(shape.max_message_rate)) == (7, "5/s")
    assert shape.enable_tls == "Required"
    assert shaping.shape("gmail.com", "google", "slow").connection_limit == 1
    assert shaping.provider("gmail.com", GMAIL) == "google"


def test_replace_base_forgets_what_was_there(tmp_path: Path) -> None:
    """A table may begin anew, its rules included."""
    own = '[provider."yahoo"]\nreplace_base = true\nmatch = [{ MXSuffix = ".yahoodns.net" }]\n'
    shaping = loaded(tmp_path, own)
    assert shaping.shape("x", "yahoo", "a").max_deliveries_per_connection == 100
    assert shaping.rules("x", "yahoo") == shaping.rules("x", "")


MISTAKES = {
    '\n["default"]\n\nconnection_limit = 0': ":4: default.connection_limit: expected a number",
    '["a.example"]\nconnection_limt = 1': ":2: .*unknown option; did you mean 'connection_limit'",
    '["default"]\nmax_message_rate = "fast"': ":2: .*'fast' is no rate; write \"100/s\"",
    '["default"]\nmax_message_rate = 100': ":2: .*expected a string, got an integer",
    '["default"]\nidle_timeout = "1 fortnight"': ":2: .*'1 fortnight' is no duration",
    '["default"]\nenable_tls = "Sometimes"': ":2: .*'Sometimes' is none of Opportunistic",
    '[provider."x"]\nmatch = [{ Suffix = ".x" }]': r":2: .*match\[0\]: write { MXSuffix",
    '["default"]\nmatch = []': ":2: .*unknown option",
    "default = 1": ":1: default: expected a table, got an integer",
    '[[default.automation]]\nregex = "("\naction = "Suspend"\nduration = "1h"': ":2: .*regex: ",
    '[[default.automation]]\nregex = "x"\naction = "Nap"\nduration = "1h"': ":3: .*action: write",
    '[[default.automation]]\nregex = "x"\naction = "Suspend"': ":1: .*duration: expected",
    '[[default.automation]]\nregex = "x"\naction = "Suspend"\nduration = "1h"\ntrigger = "2/hr"': (
        ":5: .*trigger: write"
    ),
    '[[default.automation]]\nregex = "x"\nduration = "1h"\n'
    'action = { SetConfig = { name = "x", value = 1 } }': ":4: .*unknown option",
    '[[default.automation]]\nregex = "x"\naction = "Bounce"\nduration = "1h"\nwhen = 1': (
        ":5: .*unknown key; known"
    ),
    '["default"': ":1: not valid TOML",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str) -> None:
    """File, line, key and what to write."""
    with pytest.raises(ConfigError, match=rf"0\.toml{MISTAKES[text]}"):
        loaded(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "count", "per"),
    [("100/s", 100, 1), ("10/minute", 10, 60), ("2/hr", 2, 3_600), ("10,000/day", 10_000, 86_400)],
)
def test_rates(text: str, count: int, per: int) -> None:
    """As KumoMTA's users write them."""
    assert (rate(text).count, rate(text).seconds) == (count, per)


@pytest.mark.parametrize("text", ["0/s", "-1/s", "1/x", "s", "1 per s", "9" * 400 + "/s"])
def test_no_rates(text: str) -> None:
    """Anything else is an error."""
    with pytest.raises(ValueError, match="is no rate"):
        rate(text)


def test_durations() -> None:
    """With and without a space, in the units of people."""
    assert [seconds(text) for text in ("30s", "90m", "2 hours", "1.5h", "3 days")] == [
        30, 5_400, 7_200, 5_400, 259_200,
    ]  # fmt: skip


def test_a_bucket_never_gives_more_than_its_rate() -> None:
    """In any t seconds at most one second's burst and t times the rate, however it is asked."""
    bucket = Bucket(rate("10/s"))
    now, taken = 0.0, []
    for step in range(5_000):
        now += (step * 7919 % 97) / 2_000
        if not bucket.wait(now):
            bucket.take(now)
            taken.append(now)
    for span in (0.5, 1.0, 7.0):
        most = max(
            sum(1 for other in taken[at:] if other < start + span) for at, start in enumerate(taken)
        )
        assert most <= 10 + span * 10 + 1e-6
