"""The benchmarks compare like with like, and run."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import desk, http
from benchmarks.render import engines, naive, ours, parts, uncompiled
from benchmarks.render.case import Case, Unavailable
from benchmarks.render.check import check, page, read_parts, urls
from benchmarks.render.receipt import Order, order
from benchmarks.smtp.__main__ import LINES, Line, measure
from vero_deliver import Outbox

MAKERS: dict[str, Callable[[], Case]] = {
    ours.TEMPLATE: ours.html_only,
    **parts.STOCK,
    naive.PREMAILER: naive.by_premailer,
    naive.CSS_INLINE: naive.by_css_inline,
    **engines.ENGINES,
}


def seen(case: Case, order: Order) -> tuple[str, set[str]]:
    """The visible text of the HTML that an implementation makes, and its links."""
    made = case.run(case.prepare(order))
    if isinstance(made, str):
        return page(made)
    assert isinstance(made, bytes)
    return page(read_parts(made)[0])


@pytest.mark.parametrize("name", MAKERS)
def test_every_implementation_shows_the_same(name: str) -> None:
    """Text and links of the HTML are equal to ours, VIP or not, however many recommendations."""
    try:
        case = MAKERS[name]()
    except Unavailable as missing:
        pytest.skip(str(missing))
    _, own, _ = ours.costs()
    for number in range(6):
        assert seen(case, order(number)) == seen(own, order(number))
        check(case, order(number))


def test_ours_without_its_c_shows_the_same() -> None:
    """The row runs, in a process of its own, and its figure is one of microseconds."""
    with uncompiled.peer() as case:
        for number in range(3):
            check(case, order(number))
        assert case.batch
        assert 50 < case.batch() < 1_000_000


def test_a_lost_line_is_noticed() -> None:
    """The check of the output fails where one product is missing."""
    case = ours.html_only()
    lost = order(1).context["order"]["lines"][4]["url"]
    assert lost in urls(order(1).context)

    def run(each: Order) -> str:
        made = case.run(each)
        assert isinstance(made, str)
        return made.replace(lost.replace("&", "&amp;"), "")

    with pytest.raises(AssertionError, match="no link to"):
        check(Case("broken", "", run, gives="html"), order(1))


def test_no_two_orders_are_alike() -> None:
    """What is personalised differs, so that nothing is gained by remembering it."""
    assert len({str(order(number).context["order"]["lines"]) for number in range(300)}) == 300


def test_smtp_is_measured() -> None:
    """Every client but node's sends what it is told, and has a figure on each kind of line."""
    for line in LINES:
        short = Line(line.name, line.connections, line.delay, defaultdict(lambda: 4))
        found = asyncio.run(measure(short, rounds=1, process=None))
        assert set(found) == {"vero_envelope", "vero_cross", "vero_bdat", "aiosmtplib"}
        assert all(speed["per_s"] > 0 for speed in found.values())


def test_the_desk_is_measured(tmp_path: Path) -> None:
    """Every delivery goes through every step, and each step takes time."""
    costs = desk.measure(Outbox(f"sqlite:///{tmp_path}/o.db"), desk.BATCH)
    assert list(costs.cpu) == ["record", "claim", "start", "finish"]
    assert all(cpu > 0 for cpu in costs.cpu.values())


def test_http_clients_get_the_same() -> None:
    """A short run of every client that is installed: each answer is looked at."""
    found = http.run(4, rounds=1, count=40)
    assert {"vero", "httpx"} <= set(found)
    assert all(row.per_s[0] > 0 for row in found.values())
