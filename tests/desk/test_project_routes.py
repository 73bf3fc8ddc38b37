"""Routes in the project's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from vero_deliver import Failover, Project, RoundRobin, Throttled
from vero_deliver.errors import ConfigError
from vero_deliver.mime import new_key
from vero_deliver.rendered import ContentName

CHANNELS = """
[channels.a]
driver = "memory"
[channels.b]
driver = "eml"
folder = "box"
[channels.files]
driver = "json"
folder = "box"
"""


def project(folder: Path, routes: str, carried: str = 'email = "r"') -> Project:
    """The project with those routes above the channels; its environment `prod`."""
    text = f"{routes}\n[env.prod]\n{carried}\n{CHANNELS}"
    (folder / "vero-deliver.toml").write_text(text)
    return Project.find(folder, env="prod")


@pytest.mark.parametrize(
    ("table", "shown", "made"),
    [
        (
            'failover = ["a", "b"]',
            "r (failover: a, b)",
            "Failover([Memory(name='a'), Eml('ROOT/box', name='b')], name='r')",
        ),
        (
            "round_robin = {a = 3, b = 1}",
            "r (round robin: a 3, b 1)",
            "RoundRobin([Memory(name='a'), Eml('ROOT/box', name='b')], name='r')",
        ),
        ('round_robin = ["a"]', "r (round robin: a)", "RoundRobin([Memory(name='a')], name='r')"),
        ('channel = "a"', "r (channel: a)", "Memory(name='a')"),
        (
            'channel = "a"\nrate = "5/s"\nquota_per_domain = "9/day"\nburst = 3\nmax_wait = 1.5',
            "r (channel: a; rate 5/s; quota per domain 9/day)",
            "Throttled([Memory(name='a')], name='r')",
        ),
        (
            'failover = ["a", "captured"]\nrate_per_sender = "1/s"',
            "r (failover: a, captured; rate per sender 1/s)",
            "Throttled([Failover([Memory(name='a'), "
            "Eml('ROOT/captured', name='captured')], name='r')], name='r')",
        ),
    ],
)  # fmt: skip
def test_a_table_makes_a_route(tmp_path: Path, table: str, shown: str, made: str) -> None:
    """Usable where a channel name is, and shown with what it leads to."""
    found = project(tmp_path, f"[routes.r]\n{table}")
    assert found.carrier("email") == shown
    route = found.deliverer(("email",)).channels["email"]
    assert repr(route) == made.replace("ROOT", str(tmp_path))
    assert type(found.channel("r", "email")) is type(route)


def test_weights_and_limits_arrive(tmp_path: Path) -> None:
    """What the table says is what the constructors are told."""
    text = (
        "[routes.r]\nround_robin = {a = 3, b = 1}\nrate = '9/s'\nrate_per_domain = '8/s'\n"
        "rate_per_sender = '7/s'\nquota = '9/day'\nquota_per_domain = '8/day'\n"
        "quota_per_sender = '7/day'\nburst = 4\nmax_wait = 2"
    )
    route = project(tmp_path, text).channel("r", "email")
    assert isinstance(route, Throttled)
    told = [
        limits.of("x", 0.0).label
        for limits in (*route._domains, *route._senders)
    ] + [limit.label for limit in route._overall]  # fmt: skip
    assert told == [
        "rate of 8/s to x", "quota of 8/day to x", "rate of 7/s from x", "quota of 7/day from x",
        "rate of 9/s", "quota of 9/day",
    ]  # fmt: skip
    assert (route._burst, route._max_wait) == (4, 2)
    [inner] = route._members
    assert isinstance(inner, RoundRobin)
    assert inner._weights == [3, 1]


def test_routes_nest_and_share(tmp_path: Path) -> None:
    """A route within a route; what two of them name is one object, so its rate is kept as one."""
    text = """
    [routes.r]
    round_robin = ["x", "y"]
    [routes.x]
    failover = ["slow", "b"]
    [routes.y]
    failover = ["slow", "captured"]
    [routes.slow]
    channel = "a"
    rate = "1/s"
    """
    route = project(tmp_path, text).deliverer(("email",)).channels["email"]
    assert isinstance(route, RoundRobin)
    x, y = route._members
    assert isinstance(x, Failover)
    assert isinstance(y, Failover)
    assert x._members[0] is y._members[0]
    assert isinstance(x._members[0], Throttled)


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        ("[routes.r]", "toml:1: routes.r: it leads nowhere; write one of failover = ["),
        (
            '[routes.r]\nfailover = ["a"]\nchannel = "b"',
            "toml:1: routes.r: it has failover and channel; write one of",
        ),
        (
            '[routes.r]\nfailover = [\n  "a",\n  "bb",\n]',
            "toml:4: routes.r.failover[1]: there is no channel or route 'bb'",
        ),
        (
            '[routes.r]\nround_robin = {fils = 1}',
            "toml:2: routes.r.round_robin.fils: there is no channel or route 'fils'; "
            "did you mean 'files'?",
        ),
        ('[routes.r]\nchannel = "x"', "toml:2: routes.r.channel: there is no channel or route"),
        ('[routes.r]\nfailover = ["a", "a"]', "routes.r.failover[1]: 'a' is there twice"),
        ('[routes.r]\nfailover = ["a", "r"]', "failover[1]: it leads back to itself: r -> r"),
        (
            '[routes.r]\nfailover = ["x"]\n[routes.x]\nchannel = "y"\n[routes.y]\nchannel = "r"',
            "toml:2: routes.r.failover[0]: it leads back to itself: r -> x -> y -> r",
        ),
        (
            '[routes.r]\nfailover = ["x"]\n[routes.x]\nchannel = "x"',
            "toml:4: routes.x.channel: it leads back to itself: x -> x",
        ),
        ('[routes.a]\nchannel = "b"', "toml:1: routes.a: there is a channel of that name"),
        ('[routes.captured]\nchannel = "b"', "routes.captured: there is a channel of that name"),
        (
            "[routes.r]\nround_robin = {a = 1, b = 0}",
            "routes.r.round_robin.b: a weight is a whole number from 1 up, not 0",
        ),
        (
            "[routes.r]\nround_robin = {a = 1.5}",
            "routes.r.round_robin.a: expected an integer, got a number",
        ),
        (
            '[routes.r]\nchannel = "a"\nrate = "fast"',
            "toml:3: routes.r.rate: 'fast' is no rate; write a number per s, min, hour or day",
        ),
        (
            '[routes.r]\nchannel = "a"\nquota_per_domain = "5/min"',
            "toml:3: routes.r.quota_per_domain: '5/min': a quota is per hour or day; use rate_per_",
        ),
        ('[routes.r]\nchannel = "a"\nrate = "1/s"\nburst = 0', "routes.r.burst: must be at least"),
        ('[routes.r]\nchannel = "a"\nquota = "1/day"\nburst = 2', "burst: says nothing without"),
        (
            '[routes.r]\nchannel = "a"\nrate = "1/s"\nmax_wait = -1',
            "toml:4: routes.r.max_wait: must be 0 or more, not -1",
        ),
        (
            '[routes.r]\nfail_over = ["a"]',
            "toml:2: routes.r.fail_over: unknown key 'fail_over'; did you mean 'failover'?",
        ),
    ],
)  # fmt: skip
def test_mistakes_name_line_and_key(tmp_path: Path, routes: str, words: str) -> None:
    """When the file is read, whether or not the environment uses the route."""
    with pytest.raises(ConfigError) as caught:
        project(tmp_path, routes, "")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("table", "content", "words"),
    [
        (
            'failover = ["a", "files"]',
            "email",
            "toml:2: routes.r.failover[1]: {file}:12: channels.files.driver: driver 'json' does "
            "not carry email",
        ),
        (
            'channel = "a"\nrate_per_domain = "1/s"',
            "sms",
            "toml:3: routes.r.rate_per_domain: sms has no domain",
        ),
        (
            'channel = "a"\nquota_per_sender = "1/day"',
            "push",
            "toml:3: routes.r.quota_per_sender: push has no sender",
        ),
    ],
)  # fmt: skip
def test_what_a_member_cannot_carry(
    tmp_path: Path, table: str, content: ContentName, words: str
) -> None:
    """Known when the channels are made, before anything is sent."""
    found = project(tmp_path, f"[routes.r]\n{table}", f'{content} = "r"')
    with pytest.raises(ConfigError) as caught:
        found.deliverer()
    shown = str(caught.value)
    assert words.format(file=shown.partition(":")[0]) in shown


def test_a_route_that_is_meant(tmp_path: Path) -> None:
    """A name near a route's is asked about, in an environment and in Python."""
    with pytest.raises(ConfigError, match="no channel 'marketin'; did you mean 'marketing'"):
        project(tmp_path, '[routes.marketing]\nchannel = "a"', 'email = "marketin"')
    found = project(tmp_path, '[routes.marketing]\nchannel = "a"', "")
    with pytest.raises(ConfigError, match="no channel 'marketin'; did you mean 'marketing'"):
        found.channel("marketin", "email")


def test_emails_are_shown_as_the_first_channel_signs_them(tmp_path: Path) -> None:
    """What preview, render and doctor ask: the sending domains of a route's first channel."""
    (tmp_path / "key.pem").write_text(new_key("rsa"))
    text = """
    [domains."example.com"]
    selector = "v1"
    key = { file = "key.pem" }
    [routes.r]
    failover = ["%s", "%s"]
    [routes.inner]
    channel = "b"
    rate = "1/s"
    """
    signs, not_at_first = (
        project(tmp_path, text % names).email_domains()
        for names in (("inner", "a"), ("a", "inner"))
    )
    assert signs.of("shop@example.com")
    assert not not_at_first.of("shop@example.com")


QUIET = 'channel = "files"\nquiet_hours = "21:00-08:00"\ntimezone = "Europe/Prague"'


def test_quiet_hours(tmp_path: Path) -> None:
    """Of text messages and pushes; they stand above the limits."""
    table = f'[routes.r]\n{QUIET}\nrate = "5/s"'
    made = project(tmp_path, table, 'sms = "r"')
    assert repr(made.channel("r", "sms")).startswith("QuietHours([Throttled([Documents(")
    assert made.carrier("sms") == "r (channel: files; rate 5/s; quiet 21:00-08:00)"


@pytest.mark.parametrize(
    ("table", "carried", "words"),
    [
        (QUIET.replace("21:00", "25:00"), 'sms = "r"', "toml:3: routes.r.quiet_hours: '25:00"),
        (QUIET.replace("Prague", "Mars"), 'sms = "r"', "toml:4: routes.r.timezone: 'Europe/Mars'"),
        ('channel = "a"\ntimezone = "Asia/Tokyo"', 'sms = "r"', "says nothing without"),
        (QUIET.replace("files", "b"), 'email = "r"', "email has none"),
    ],
)
def test_wrong_quiet_hours(tmp_path: Path, table: str, carried: str, words: str) -> None:
    """The error names the key, or the content that has no quiet hours."""
    content: ContentName = "email" if carried.startswith("email") else "sms"
    with pytest.raises(ConfigError) as caught:
        project(tmp_path, f"[routes.r]\n{table}", carried).channel("r", content)
    assert words in str(caught.value)
