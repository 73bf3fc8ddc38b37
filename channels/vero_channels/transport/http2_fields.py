"""Header fields in HPACK (RFC 7541): requests written for speed, answers read where they matter.

Requests are encoded here, since the `hpack` library takes about as long for one header block as
all else that a push costs (benchmarks.push measures it). Answers are stateless, as we allow the
peer no dynamic table: a status is read from the first octets, and `hpack` decodes what is asked
for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from hpack import Decoder, HPACKError
from hpack.table import HeaderTable

Field = tuple[bytes, bytes]

TABLE: Final = 4096  # octets of our dynamic table, unless the peer allows less
MAX_HEADERS: Final = 32_768  # octets of an answer's header fields

_STATIC: Final[tuple[Field, ...]] = HeaderTable.STATIC_TABLE
_STATIC_FIELDS: Final = {field: at for at, field in reversed([*enumerate(_STATIC, 1)])}
_STATIC_NAMES: Final = {name: at for at, (name, _) in reversed([*enumerate(_STATIC, 1)])}
_FIRST: Final = len(_STATIC) + 1  # index of the newest field of the dynamic table
_OVERHEAD: Final = 32  # octets that RFC 7541 4.1 counts for a field beside its text


class Fields:
    """Header fields that many requests share: sent in full once, then as an octet each.

    Names in lower case. ValueError where a value cannot be in a header field.
    """

    __slots__ = ("pseudo", "regular")

    def __init__(
        self, authority: str, regular: Sequence[tuple[str, str]], method: str = "POST"
    ) -> None:
        scheme, host = (b":scheme", b"https"), (b":authority", _octets(authority))
        self.pseudo = ((b":method", _octets(method)), scheme, host)
        self.regular = tuple((name.encode("ascii"), _octets(value)) for name, value in regular)


class Encoder:
    """Our dynamic table of one connection, as the peer knows it."""

    def __init__(self) -> None:
        self._limit = TABLE
        self._resized = b""  # a table size update for the beginning of the next block
        self._size = 0
        self._numbers: dict[Field, int] = {}  # how many were inserted before; the oldest first
        self._inserted = 0
        self._blocks: dict[Fields, tuple[bytes, bytes]] = {}  # valid until the table changes

    def limit(self, size: int) -> None:
        """The peer's SETTINGS_HEADER_TABLE_SIZE."""
        if size < self._limit:  # it never grows again, so the last is the smallest (4.2)
            self._resized = integer(size, 5, 0x20)
            self._limit = size
            self._evict(0)
            self._blocks.clear()

    def block(self, fields: Fields, path: bytes, extra: bytes) -> bytes:
        """A request's header block. path, extra: as `literal` has made them."""
        known = self._blocks.get(fields)
        if known is None:
            known = self._encoded(fields)
        if self._resized:
            resized, self._resized = self._resized, b""
            return b"".join((resized, known[0], path, known[1], extra))
        return b"".join((known[0], path, known[1], extra))

    def _encoded(self, fields: Fields) -> tuple[bytes, bytes]:
        before = self._inserted
        found = (
            b"".join(map(self._field, fields.pseudo)),
            b"".join(map(self._field, fields.regular)),
        )
        if self._inserted == before:
            self._blocks[fields] = found
        return found

    def _field(self, field: Field) -> bytes:
        static, number = _STATIC_FIELDS.get(field), self._numbers.get(field)
        if static is not None:
            return integer(static, 7, 0x80)
        if number is not None:
            return integer(_FIRST + self._inserted - 1 - number, 7, 0x80)
        if _size(field) > self._limit:
            return _literal(field)
        self._evict(_size(field))
        self._blocks.clear()  # every index that they hold is another now
        self._numbers[field] = self._inserted
        self._inserted += 1
        self._size += _size(field)
        name = _STATIC_NAMES.get(field[0], 0)
        head = integer(name, 6, 0x40) if name else b"\x40" + _string(field[0])
        return head + _string(field[1])

    def _evict(self, room: int) -> None:
        while self._size + room > self._limit:
            oldest = next(iter(self._numbers))
            del self._numbers[oldest]
            self._size -= _size(oldest)


def literal(name: str, value: str) -> bytes:
    """A field that is in no table. ValueError where the value cannot be in a header field."""
    if not (value.isascii() and value.isprintable()):
        raise _wrong(value)
    length = len(value)
    return (
        _name(name)
        + (_LENGTHS[length] if length < len(_LENGTHS) else integer(length, 7))
        + value.encode()
    )


def status(block: bytes) -> int:
    """The :status of an answer. ValueError where it has none."""
    first = block[0] if block else 0
    if first & 0x0F in range(8, 15) and first & 0xF0 in (0x00, 0x10, 0x40) and len(block) > 1:
        # a literal whose name is :status in the static table
        return _status(block[: 2 + (block[1] & 0x7F)])
    return _status(block)


@lru_cache(maxsize=256)
def _status(block: bytes) -> int:
    for name, value in decoded(block):
        if name == ":status" and len(value) == 3 and value.isascii() and value.isdigit():
            return int(value)
        break  # pseudo-header fields are the first, and an answer has but one (RFC 9113 8.3.2)
    raise ValueError("an answer begins without :status")


def decoded(block: bytes) -> list[tuple[str, str]]:
    """The fields of an answer, in order. ValueError where it cannot be read."""
    decoder = Decoder(max_header_list_size=MAX_HEADERS)
    decoder.max_allowed_table_size = decoder.header_table_size = 0
    try:
        return [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in decoder.decode(block, raw=True)
        ]
    except HPACKError as error:
        raise ValueError(f"an answer's header cannot be read: {error}") from None


def integer(number: int, bits: int, flags: int = 0) -> bytes:
    """An integer with a prefix of so many bits (RFC 7541 5.1)."""
    most = (1 << bits) - 1
    if number < most:
        return bytes((flags | number,))
    octets = [flags | most]
    number -= most
    while number >= 128:
        octets.append(number & 127 | 128)
        number >>= 7
    octets.append(number)
    return bytes(octets)


_LENGTHS: Final = [integer(length, 7) for length in range(1024)]


def _string(octets: bytes) -> bytes:
    length = len(octets)
    return (_LENGTHS[length] if length < len(_LENGTHS) else integer(length, 7)) + octets


@lru_cache(maxsize=256)
def _name(name: str) -> bytes:
    at = _STATIC_NAMES.get(name.encode("ascii"), 0)
    return integer(at, 4) if at else b"\x00" + _string(name.encode("ascii"))


def _literal(field: Field) -> bytes:
    return _name(field[0].decode("ascii")) + _string(field[1])


def _octets(value: str) -> bytes:
    """A field's value: what could end a line or a field is in none (RFC 9113 8.2.1)."""
    if not (value.isascii() and value.isprintable()):
        raise _wrong(value)
    return value.encode("ascii")


def _wrong(value: str) -> ValueError:
    return ValueError(f"{value[:40]!r} cannot be in a header field")


def _size(field: Field) -> int:
    return len(field[0]) + len(field[1]) + _OVERHEAD
