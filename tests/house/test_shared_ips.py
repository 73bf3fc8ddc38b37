"""docs/shared-ips.md has what the code has."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import get_args

from documents import blocks, read, rows, section

from vero_channels.email.mx import Mx
from vero_channels.transport.egress.shaping import OPTIONS, Tls
from vero_channels.transport.egress.shaping_file import load
from vero_channels.transport.egress.sources import Source
from vero_channels.transport.egress.warm_up import SCHEDULE

TEXT = read("shared-ips.md")


def test_every_option_has_a_row() -> None:
    """The tables have the arguments of Mx, the keys of a source and the options of shaping."""
    assert set(rows(section(TEXT, "Options"))) == set(inspect.signature(Mx).parameters)
    sources = {one.name for one in dataclasses.fields(Source)} - {"name"}
    assert set(rows(section(TEXT, "Sources"))) == sources
    assert set(rows(section(TEXT, "Shaping"))) == set(OPTIONS)


def test_every_mode_of_tls_has_a_row() -> None:
    """The values of enable_tls."""
    modes = {name.strip('"') for name in rows(section(TEXT, "TLS"))}
    assert modes - {"enable_tls"} == set(get_args(Tls))


def test_warm_up_schedule_is_true() -> None:
    """The document has the figures of the code."""
    told = ", ".join(f"{number:,}" for number in SCHEDULE)
    assert told in " ".join(section(TEXT, "Warm-up").split())


def test_shaping_example_is_one(tmp_path: Path) -> None:
    """The example of a shaping table can be read."""
    file = tmp_path / "shaping.toml"
    file.write_text(blocks(section(TEXT, "Shaping"), "toml")[0])
    assert load([file]).shape("shop.example", "google", "mta1").connection_limit == 5
