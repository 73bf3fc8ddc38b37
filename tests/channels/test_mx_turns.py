"""Whose turn it is and how fast: weights, limits, rates, what hosts said, warm-up."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from mx_sending import FAST, FIRST, SECOND, ZONE, A, B, C, World, failed, many, sending, to
from smtp_sink import Fault, sink

from vero_channels.transport.egress.warm_up import SCHEDULE
from vero_deliver.errors import Deferred, Refused
from vero_deliver.rendered import Address
from vero_deliver.testing import sample_email

ALL = {"a": A, "b": B, "c": C}
NAMES = {"127.0.0.21": "a", "127.0.0.22": "b", "127.0.0.23": "c"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A shaping table to write to, without rates to wait for."""
    file = tmp_path / "shaping.toml"
    file.write_text(FAST)
    return file


def shares(peers: list[str]) -> dict[str, float]:
    return {NAMES[peer]: count / len(peers) for peer, count in Counter(peers).items()}


class TestWeights:
    @pytest.mark.anyio
    async def test_sources_share_by_weight(self, table: Path) -> None:
        """Each source sends within 5 % of its share, at each site alone."""
        pools = {"default": {"a": 5, "b": 3, "c": 2}}
        zone = f"{ZONE}example.net. 60 IN MX 1 mx2.example.org."
        async with (
            sink(host=FIRST) as first,
            sink(host=SECOND, port=first.port) as second,
            sending(first.port, zone=zone, sources=ALL, pools=pools, shaping=table) as mx,
        ):
            await many(mx, 400)
            await many(mx, 400, to("ada@example.net"))
        for host in (first, second):
            found = shares(host.peers)
            for name, share in (("a", 0.5), ("b", 0.3), ("c", 0.2)):
                assert found[name] == pytest.approx(share, rel=0.05)

    @pytest.mark.anyio
    async def test_single_messages_to_many_sites(self, table: Path) -> None:
        """The first turn at a site is as fair as the others: small domains see every source."""
        domains = [f"d{number}.example" for number in range(300)]
        zone = ZONE + "".join(f"{domain}. 60 IN MX 1 mx1.example.org.\n" for domain in domains)
        for domain in domains:  # a table of its own takes a domain out of the rollup
            with table.open("a") as file:
                file.write(f'["{domain}"]\nidle_timeout = "0s"\n')
        world = World()
        async with (
            sink(host=FIRST) as host,
            sending(
                host.port,
                zone=zone,
                sources=ALL,
                shaping=table,
                surroundings=replace(world.surroundings, sleep=asyncio.sleep),
            ) as mx,
        ):
            for domain in domains:
                await mx.send(to(f"ada@{domain}"), domain)
        found = shares(host.peers)
        assert all(0.25 < found[name] < 0.42 for name in "abc")

    @pytest.mark.anyio
    async def test_kinds_have_pools_of_their_own(self, table: Path) -> None:
        """Marketing goes from other addresses than the rest."""
        pools = {"default": {"a": 1}, "marketing": {"b": 1, "c": 1}}
        async with (
            sink(host=FIRST) as host,
            sending(host.port, sources=ALL, pools=pools, shaping=table) as mx,
        ):
            await many(mx, 10)
            assert set(shares(host.peers)) == {"a"}
            host.peers.clear()
            await many(mx, 10, sample_email(kind="marketing"))
        assert set(shares(host.peers)) == {"b", "c"}


class TestLimits:
    @pytest.mark.anyio
    async def test_connections_of_a_source_to_a_site(self, table: Path) -> None:
        """Never more at once than the limit, each for no more messages than its limit."""
        table.write_text(f"{FAST}connection_limit = 2\nmax_deliveries_per_connection = 10\n")
        async with sink(host=FIRST) as host, sending(host.port, shaping=table) as mx:
            await many(mx, 100)
        assert len(host.messages) == 100
        assert host.most <= 2
        assert host.connections >= 10

    @pytest.mark.anyio
    async def test_connections_to_a_provider(self, table: Path) -> None:
        """Sites of a provider share its limit; an idle connection makes room for another site."""
        table.write_text(
            f'{FAST}[provider.big]\nmatch = [{{ MXSuffix = ".example.org" }}]\n'
            "provider_connection_limit = 2\n"
        )
        domains = [f"d{number}.example" for number in range(6)]
        hosts = [f"h{number}.example.org" for number in range(6)]
        zone = "".join(
            f"{domain}. 60 IN MX 1 {host}.\n{host}. 60 IN A {FIRST}\n"
            for domain, host in zip(domains, hosts, strict=True)
        )
        async with sink(host=FIRST) as host, sending(host.port, zone=zone, shaping=table) as mx:
            for _ in range(3):
                await asyncio.gather(*(mx.send(to(f"a@{domain}"), domain) for domain in domains))
        assert len(host.messages) == 18
        assert host.most <= 2

    @pytest.mark.anyio
    async def test_message_rate_holds(self, table: Path) -> None:
        """In no second more than the rate, but for the burst of one second at the beginning."""
        table.write_text('["default"]\nmax_message_rate = "10/s"\n')
        world = World()
        times: list[float] = []
        async with (
            sink(
                lambda step, _: times.append(world.time) if step == "." else None, host=FIRST
            ) as host,
            sending(host.port, shaping=table, surroundings=world.surroundings, patience=60) as mx,
        ):
            for number in range(100):
                await mx.send(sample_email(), f"key-{number}")
        elapsed = times[-1] - times[0]
        assert elapsed == pytest.approx(9.0, abs=0.2)
        assert all(later - now >= 0.99 for now, later in zip(times, times[20:], strict=False))

    @pytest.mark.anyio
    async def test_a_turn_that_is_far_off_is_deferred(self, table: Path) -> None:
        """Who would wait for longer than `patience` is told for how long, and takes no turn."""
        table.write_text('["default"]\nmax_message_rate = "1/min"\n')
        world = World()
        async with (
            sink(host=FIRST) as host,
            sending(host.port, shaping=table, surroundings=world.surroundings) as mx,
        ):
            await mx.send(sample_email(), "key-1")
            for _ in range(3):
                error = await failed(mx)
                assert isinstance(error, Deferred)
                assert error.retry_after == pytest.approx(60, abs=1)
            world.time += 60
            await mx.send(sample_email(), "key-2")
        assert len(host.messages) == 2

    @pytest.mark.anyio
    async def test_connection_rate_holds(self, table: Path) -> None:
        """New connections wait as well; kept ones do not count."""
        table.write_text(
            '["default"]\nmax_connection_rate = "1/min"\nmax_deliveries_per_connection = 3\n'
        )
        world = World()
        async with (
            sink(host=FIRST) as host,
            sending(host.port, shaping=table, surroundings=world.surroundings) as mx,
        ):
            for number in range(3):
                await mx.send(sample_email(), f"key-{number}")
            error = await failed(mx)
            assert isinstance(error, Deferred)
            assert error.retry_after == pytest.approx(60, abs=1)
        assert host.connections == 1


RULE = """
[["default".automation]]
regex = '''\\[TS04\\]'''
action = {action}
trigger = {trigger}
duration = "2 hours"
"""


def rule(action: str = '"Suspend"', trigger: str = '"Immediate"') -> str:
    return FAST + RULE.format(action=action, trigger=trigger)


class Complaints:
    """Says `answer` to RCPT while it is set."""

    answer: str | None = "421 4.7.0 [TS04] Messages from 127.0.0.21 temporarily deferred"

    def __call__(self, step: str, _: str) -> str | Fault | None:
        return self.answer if step == "RCPT" else None


class TestAutomation:
    @pytest.mark.anyio
    async def test_suspended_until_it_ends(self, table: Path) -> None:
        """After the host's words nothing is tried at the site; other sites go on."""
        table.write_text(rule())
        world, plan = World(), Complaints()
        zone = f"{ZONE}example.net. 60 IN MX 1 mx2.example.org."
        async with (
            sink(plan, host=FIRST) as host,
            sink(host=SECOND, port=host.port) as other,
            sending(host.port, zone=zone, shaping=table, surroundings=world.surroundings) as mx,
        ):
            await failed(mx)
            heard = len(host.commands)
            plan.answer = None
            world.time += 3_600
            error = await failed(mx)
            assert isinstance(error, Deferred)
            assert error.retry_after == pytest.approx(3_600, abs=1)
            assert "[TS04]" in str(error)
            assert len(host.commands) == heard
            await mx.send(to("ada@example.net"), "key-2")
            world.time += 3_601
            await mx.send(sample_email(), "key-3")
        assert len(host.messages) == len(other.messages) == 1

    @pytest.mark.anyio
    async def test_other_sources_go_on(self, table: Path) -> None:
        """One suspended source leaves its turns to the others."""
        table.write_text(rule())
        plan = Complaints()
        async with (
            sink(plan, host=FIRST) as host,
            sending(host.port, sources={"a": A, "b": B}, shaping=table) as mx,
        ):
            await failed(mx)
            plan.answer = None
            await many(mx, 20)
        assert len(shares(host.peers)) == 1

    @pytest.mark.anyio
    async def test_threshold(self, table: Path) -> None:
        """Two within an hour are needed: two hours apart are not."""
        table.write_text(rule(trigger='{ Threshold = "2/hr" }'))
        world, plan = World(), Complaints()
        async with (
            sink(plan, host=FIRST) as host,
            sending(host.port, shaping=table, surroundings=world.surroundings) as mx,
        ):
            for pause in (3_601, 3_601, 60, 60, 60):
                assert "[TS04]" in str(await failed(mx))
                world.time += pause
        assert len([c for c in host.commands if c.startswith("RCPT")]) == 4

    @pytest.mark.anyio
    async def test_suspend_tenant(self, table: Path) -> None:
        """Only the sender's domain is suspended."""
        table.write_text(rule('"SuspendTenant"'))
        plan = Complaints()
        other = sample_email(from_=Address("news@other.example"))
        async with sink(plan, host=FIRST) as host, sending(host.port, shaping=table) as mx:
            await failed(mx)
            plan.answer = None
            assert isinstance(await failed(mx), Deferred)
            await mx.send(other, "key-2")
        assert len(host.messages) == 1

    @pytest.mark.anyio
    async def test_bounce(self, table: Path) -> None:
        """For as long as told everything is refused."""
        table.write_text(rule('"Bounce"'))
        plan = Complaints()
        async with sink(plan, host=FIRST) as host, sending(host.port, shaping=table) as mx:
            await failed(mx)
            plan.answer = None
            assert isinstance(await failed(mx), Refused)
        assert not host.messages

    @pytest.mark.anyio
    async def test_set_config(self, table: Path) -> None:
        """A lower rate and fewer connections hold for their time, then the usual ones."""
        action = (
            '[{ SetConfig = { name = "max_message_rate", value = "1/min" } },'
            ' { SetConfig = { name = "connection_limit", value = 1 } }]'
        )
        table.write_text(rule(action))
        world, plan = World(), Complaints()
        async with (
            sink(plan, host=FIRST) as host,
            sending(host.port, shaping=table, surroundings=world.surroundings) as mx,
        ):
            await failed(mx)
            plan.answer = None
            await mx.send(sample_email(), "key-1")
            error = await failed(mx)
            assert isinstance(error, Deferred)
            assert error.retry_after == pytest.approx(60, abs=1)
            host.most = host.open
            world.time += 3_000
            await mx.send(sample_email(), "key-2")
            assert host.most == 1
            world.time += 4_201
            await many(mx, 20)
        assert len(host.messages) == 22

    @pytest.mark.anyio
    async def test_words_of_a_greeting_count(self, table: Path) -> None:
        """A host that complains before anything was said is heard as well."""
        table.write_text(rule())
        words = "421 4.7.0 [TS04] busy"
        zone = f"example.org. 60 IN A {FIRST}"
        async with (
            sink(lambda step, _: words if step == "connect" else None, host=FIRST) as host,
            sending(host.port, zone=zone, shaping=table) as mx,
        ):
            await failed(mx)
            error = await failed(mx)
        assert error.retry_after > 7_000
        assert host.connections == 1


class TestWarmUp:
    @pytest.mark.anyio
    async def test_overflow_goes_to_warm_sources(self, table: Path) -> None:
        """A new source sends what its day allows; the others take the rest."""
        sources = {"a": {**A, "warm_up": date(2026, 11, 1)}, "b": B}
        world = World()  # 2026-11-02: the second day
        async with (
            sink(host=FIRST) as host,
            sending(
                host.port, sources=sources, shaping=table, surroundings=world.surroundings
            ) as mx,
        ):
            await many(mx, 260)
            sent = Counter(NAMES[peer] for peer in host.peers)
            assert sent["a"] == SCHEDULE[1] == 100
            world.time += 86_400
            await many(mx, 100)
        assert Counter(NAMES[peer] for peer in host.peers)["a"] == pytest.approx(150, abs=3)

    @pytest.mark.anyio
    async def test_without_warm_sources_it_waits_for_tomorrow(self, table: Path) -> None:
        """Deferred until midnight, UTC; failures do not count, and providers count apart."""
        sources = {"a": {**A, "warm_up": date(2026, 11, 2)}}
        zone = f"{ZONE}example.net. 60 IN MX 1 mx2.example.org."
        world, plan = World(), Complaints()
        async with (
            sink(plan, host=FIRST) as host,
            sink(host=SECOND, port=host.port) as other,
            sending(
                host.port,
                zone=zone,
                sources=sources,
                shaping=table,
                surroundings=world.surroundings,
                warm_up_schedule=[3],
            ) as mx,
        ):
            plan.answer = "450 4.2.1 later"
            for _ in range(3):
                assert "later" in str(await failed(mx))
            plan.answer = None
            await many(mx, 3)
            error = await failed(mx)
            assert isinstance(error, Deferred)
            assert error.retry_after == pytest.approx(15 * 3_600, abs=1)
            await mx.send(to("ada@example.net"), "key-2")
            world.time += 86_400
            await many(mx, 10)  # after the schedule's last day there is no cap
        assert (len(host.messages), len(other.messages)) == (13, 1)

    @pytest.mark.anyio
    async def test_before_its_first_day_a_source_rests(self, table: Path) -> None:
        """A start in the future."""
        sources = {"a": {**A, "warm_up": date(2026, 11, 3)}, "b": B}
        world = World()
        async with (
            sink(host=FIRST) as host,
            sending(
                host.port, sources=sources, shaping=table, surroundings=world.surroundings
            ) as mx,
        ):
            await many(mx, 10)
        assert set(shares(host.peers)) == {"b"}

    @pytest.mark.anyio
    async def test_thirty_idle_days_begin_it_anew(self, table: Path) -> None:
        """29 days without mail change nothing; 30 do, and then every day counts again."""
        sources = {"a": {**A, "warm_up": date(2026, 1, 1)}}
        world = World()
        async with (
            sink(host=FIRST) as host,
            sending(
                host.port,
                sources=sources,
                shaping=table,
                surroundings=world.surroundings,
                warm_up_schedule=[2, 3],
            ) as mx,
        ):
            await many(mx, 10)
            world.time += 29 * 86_400
            await many(mx, 10)
            world.time += 30 * 86_400
            for most in (2, 3):
                await many(mx, most)
                assert isinstance(await failed(mx), Deferred)
                world.time += 86_400
            await many(mx, 10)
        assert len(host.messages) == 35
