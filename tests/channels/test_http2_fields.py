"""Header fields in HPACK, as the `hpack` library reads and writes them."""

from __future__ import annotations

import pytest
from hpack import Decoder, Encoder
from hypothesis import given
from hypothesis import strategies as st

from vero_channels.transport import http2_fields
from vero_channels.transport.http2_fields import Fields, decoded, integer, literal, status

names = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=40)
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=300)
fields = st.lists(st.tuples(names, values), max_size=8)
known = st.sampled_from(
    [("content-type", "application/json"), ("accept-encoding", "gzip, deflate"), ("age", "")]
)
requests = st.lists(
    st.tuples(st.integers(0, 5), st.lists(st.tuples(names, values), max_size=3)), max_size=30
)


@given(st.lists(st.one_of(fields, st.lists(known, max_size=3)), min_size=6, max_size=6), requests)
@pytest.mark.parametrize("limits", [[], [0], [100], [700, 90], [90, 700]])
def test_what_we_encode_is_what_hpack_reads(
    limits: list[int],
    shared: list[list[tuple[str, str]]],
    asked: list[tuple[int, list[tuple[str, str]]]],
) -> None:
    """Any requests in any order, whatever the peer's table holds, arrive as they were meant."""
    ours, theirs = http2_fields.Encoder(), Decoder(max_header_list_size=1 << 20)
    sets = [Fields("push.example.com", each) for each in shared]
    for number, (at, extra) in enumerate(asked):
        if number % 3 == 1 and number // 3 < len(limits):
            ours.limit(limits[number // 3])
            theirs.max_allowed_table_size = limits[number // 3]
        block = ours.block(
            sets[at], literal(":path", f"/{number}"), b"".join(literal(*each) for each in extra)
        )
        assert [(str(n), str(v)) for n, v in theirs.decode(block)] == [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "push.example.com"),
            (":path", f"/{number}"),
            *shared[at],
            *extra,
        ]


def test_shared_fields_take_an_octet_each() -> None:
    """From the second request on, what is shared is an index."""
    encoder = http2_fields.Encoder()
    shared = Fields(
        "push.example.com", [("apns-topic", "com.example"), ("authorization", "x" * 250)]
    )
    first = encoder.block(shared, b"", b"")
    assert len(first) > 280
    assert [len(encoder.block(shared, b"", b"")) for _ in range(3)] == [5, 5, 5]


@given(st.integers(200, 599), fields, st.booleans())
def test_status_is_read_whatever_its_form(
    code: int, more: list[tuple[str, str]], huffman: bool
) -> None:
    """hpack's encoder writes an answer in any of its forms; our shortcut reads the same status."""
    encoder = Encoder()
    encoder.header_table_size = 0
    block = encoder.encode([(":status", str(code)), *more], huffman=huffman)
    assert status(block) == code
    assert decoded(block)[1:] == more


@pytest.mark.parametrize(
    "block",
    [b"", b"\x82", b"\x00", b"\x08", b"\x08\x03abc", b"\x48\xff", b"\xff\xff\xff", b"\x08\x05ab",
     b"\x00\x01a\x01b", b"\x3f\xe1\x1f\x88"],
)  # fmt: skip
def test_senseless_block_is_a_value_error(block: bytes) -> None:
    """No other exception, whatever the peer writes; a table larger than allowed is senseless."""
    with pytest.raises(ValueError, match="answer"):
        status(block)


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\0b", "é", "\x7f", "a\tb"])
def test_value_cannot_begin_another_field(value: str) -> None:
    """Line ends, NUL and what is not ASCII are refused."""
    with pytest.raises(ValueError, match="header field"):
        literal("apns-collapse-id", value)
    with pytest.raises(ValueError, match="header field"):
        Fields("push.example.com", [("apns-topic", value)])


@pytest.mark.parametrize(
    ("number", "octets"), [(10, b"\x0a"), (1337, b"\x1f\x9a\x0a"), (31, b"\x1f\0")]
)
def test_integers_are_those_of_the_rfc(number: int, octets: bytes) -> None:
    """RFC 7541 C.1, with a prefix of five bits."""
    assert integer(number, 5) == octets
