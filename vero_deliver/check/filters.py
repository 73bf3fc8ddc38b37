"""Spam filters on this machine, and what they say of a message.

spamd speaks the protocol of SpamAssassin's spamc (its file spamd/PROTOCOL), rspamd HTTP (its
documentation, "HTTP Protocol", /checkv2); the command `spamassassin` is started for each message.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import httpx

from vero_deliver.errors import ConfigError

_TIMEOUT: Final = 60.0  # seconds for a message
_PING: Final = 2.0  # seconds
_MOST: Final = 1_000_000  # bytes of an answer
_TOTAL: Final = re.compile(r"\((-?[\d.]+) points, (-?[\d.]+) required\)")
_ROW: Final = re.compile(
    r"^ {0,2}(-?\d+\.\d+) ([A-Z][A-Z0-9_]+) +(.*(?:\n {20,}\S.*)*)", re.MULTILINE
)
# what they say of a message that came over no network, from nobody known
_UNSENT: Final = re.compile(
    r"NO_RELAYS|NO_RECEIVED|ALL_TRUSTED|RCVD_.*|HFILTER_.*|ARC_.*|(?:R_)?DKIM_.*|(?:R_)?SPF_.*|"
    r"DMARC_.*|MISSING_DATE|DATE_IN_.*|ONCE_RECEIVED.*|RDNS_.*|RBL_.*|MID_RHS_.*|T_.*|.*_DNSFAIL|"
    r"ASN_FAIL|FROM_EQ_ENVFROM|FORGED_.*ENVFROM.*|MISSING_MIMEOLE"
)


@dataclass(frozen=True, slots=True)
class Point:
    """One rule of a filter that matched, and what it adds to the score."""

    rule: str
    points: float
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a filter says. required: the score from which it takes a message for spam.

    points: the rules that say something of the message itself; score: their sum.
    """

    filter: str
    required: float
    points: tuple[Point, ...]

    @property
    def score(self) -> float:
        """The sum of the points."""
        return round(sum(point.points for point in self.points), 2)


class Filter(Protocol):
    """A spam filter that can be asked."""

    def verdict(self, message: bytes) -> Verdict:
        """What it says. Raises OSError or ValueError where it says nothing that can be read."""
        ...


def find(spamd: str, rspamd: str) -> Filter:
    """The first that is there: spamd, rspamd, the command. Each address is host:port.

    Raises ConfigError where none is.
    """
    for filter_ in (Spamd(*_address(spamd)), Rspamd(*_address(rspamd))):
        if filter_.answers():
            return filter_
    command = shutil.which("spamassassin")
    if command:
        return Command(command)
    raise ConfigError(
        f"no spam filter is here: spamd does not answer at {spamd}, rspamd not at {rspamd}, and "
        "the command spamassassin is not installed; install one (apt-get install spamassassin), "
        "or leave out --spam"
    )


@dataclass(frozen=True, slots=True)
class Spamd:
    """SpamAssassin's daemon."""

    host: str
    port: int

    def answers(self) -> bool:
        """Whether it is there."""
        try:
            return b" 0 PONG" in self._asked("PING", b"", _PING)
        except OSError:
            return False

    def verdict(self, message: bytes) -> Verdict:
        """See Filter."""
        answer = self._asked("REPORT", message, _TIMEOUT)
        head, _, report = answer.partition(b"\r\n\r\n")
        status = re.match(rb"SPAMD/\S+ (\d+) (.*)", head)
        if status is None or status[1] != b"0":
            raise ValueError(f"spamd says {head[:80].decode('ascii', 'replace')!r}")
        return _verdict(f"spamd at {self.host}:{self.port}", report)

    def _asked(self, verb: str, message: bytes, timeout: float) -> bytes:
        head = f"{verb} SPAMC/1.5\r\nContent-length: {len(message)}\r\n\r\n"
        with socket.create_connection((self.host, self.port), timeout) as talk:
            talk.sendall(head.encode() + message)
            talk.shutdown(socket.SHUT_WR)
            pieces, size = [], 0
            while (piece := talk.recv(65_536)) and size < _MOST:
                pieces.append(piece)
                size += len(piece)
        return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class Rspamd:
    """rspamd's normal worker."""

    host: str
    port: int

    def answers(self) -> bool:
        """Whether it is there."""
        try:
            with self._client(_PING) as client:
                return client.get("/ping").text.strip() == "pong"
        except httpx.HTTPError:
            return False

    def verdict(self, message: bytes) -> Verdict:
        """See Filter."""
        try:
            with self._client(_TIMEOUT) as client:
                answer = client.post("/checkv2", content=message).raise_for_status().json()
        except httpx.HTTPError as error:
            raise OSError(f"rspamd at {self.host}:{self.port}: {error}") from None
        try:
            symbols = [
                Point(name, float(found["score"]), str(found.get("description", "")))
                for name, found in answer["symbols"].items()
            ]
            required = float(answer["required_score"])
        except (KeyError, TypeError, AttributeError):
            raise ValueError("rspamd's answer has no symbols") from None
        return Verdict(f"rspamd at {self.host}:{self.port}", required, _counted(symbols))

    def _client(self, timeout: float) -> httpx.Client:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return httpx.Client(base_url=f"http://{host}:{self.port}", timeout=timeout, trust_env=False)


@dataclass(frozen=True, slots=True)
class Command:
    """The command spamassassin: it asks no network, learns nothing and leaves no files."""

    path: str

    def verdict(self, message: bytes) -> Verdict:
        """See Filter."""
        command = [self.path, "--local", "--test-mode", "--nocreate-prefs", "--cf=use_bayes 0"]
        try:
            done = subprocess.run(  # noqa: S603  # a path that PATH leads to
                command, input=message, capture_output=True, timeout=_TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired:
            raise ValueError(f"spamassassin takes more than {_TIMEOUT:g} seconds") from None
        if done.returncode:
            raise ValueError(f"spamassassin: {done.stderr.decode(errors='replace').strip()[:200]}")
        return _verdict("the command spamassassin", done.stdout)


def _verdict(name: str, report: bytes) -> Verdict:
    """What a report of SpamAssassin says, at the end of a message or alone."""
    text = report.decode("utf-8", "replace").replace("\r\n", "\n")
    totals = list(_TOTAL.finditer(text))
    if not totals:
        raise ValueError(f"{name}: its report has no total")
    table = text[totals[-1].end() :]
    rows = [
        Point(rule, float(points), " ".join(words.split()))
        for points, rule, words in _ROW.findall(table)
    ]
    return Verdict(name, float(totals[-1][2]), _counted(rows))


def _counted(points: list[Point]) -> tuple[Point, ...]:
    return tuple(sorted(_told(points), key=lambda point: (-point.points, point.rule)))


def _told(points: list[Point]) -> Iterator[Point]:
    for point in points:
        if point.points and not _UNSENT.fullmatch(point.rule):
            yield point


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ConfigError(f"{text!r} is no address of a spam filter; write host:port")
    return host.strip("[]"), int(port)
