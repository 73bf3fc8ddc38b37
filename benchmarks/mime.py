"""What a message costs as MIME: from a template's pieces, from its text, by the library."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from statistics import median
from typing import Any

from vero_deliver import mime
from vero_deliver.mime.body import quoted_printable
from vero_deliver.rendered import Address, RenderedEmail

ROUNDS, CALLS = 30, 10
AT = datetime(2026, 3, 1, 9, 30, 15, tzinfo=UTC)
VALUES = ["Ada Lovelace", "12.50", "3", "Widget, blue", "order-1001", "https://example.com/p?id=3"]
VALUES += ["Adéla Nováková", "EUR 1,234.00", "2026-03-01", "A & B"]
HTML = [
    f'<td align="left" class="column-{at}" style="font-size:0;padding:10px 25px">\n'
    '  <div style="font-family:Arial,sans-serif;line-height:1.4;color:#333333">Each order has a '
    "number, and this is a constant of its template</div>\n"
    for at in range(100)
]
TEXT = ["Your order:\n- ", *[f"\n- line {at} of the order: " for at in range(25)]]

Row = tuple[str, Callable[[], object]]


def pieces(constants: list[str], count: int) -> list[str]:
    """Constants, the first `count` of them followed by a value.

    The values' hashes are kept from run to run; fresh strings cost about 20 ns more each.
    """
    printed: list[str] = []
    for at, text in enumerate(constants):
        value = VALUES[at % len(VALUES)]
        printed += (text, value) if at < count else (text,)
    return printed


def fields() -> dict[str, Any]:
    """The header of a receipt."""
    return {
        "from_": Address("shop@example.com", "Vero Shop"),
        "to": (Address("ada@example.com", "Ada Lovelace"),),
        "subject": "Your order 1001 has been shipped",
        "headers": {
            "List-Unsubscribe": "<https://example.com/u/0123456789abcdef>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        "at": AT,
    }


def by_library(email: RenderedEmail) -> bytes:
    """The same message as the standard library makes it."""
    message = EmailMessage()
    message["From"] = f"{email.from_.name} <{email.from_.email}>"
    message["To"] = f"{email.to[0].name} <{email.to[0].email}>"
    message["Subject"] = email.subject
    message["Date"] = email.at
    message["Message-ID"] = "<1@example.com>"
    for name, value in email.headers.items():
        message[name] = value
    message.set_content(email.text, cte="quoted-printable")
    message.add_alternative(email.html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


def cases() -> dict[str, Row]:
    """Name of a row, the row it is a multiple of, and what to run."""
    html, text = pieces(HTML, 90), pieces(TEXT, 25)
    in_html, in_text = mime.Chunks(HTML), mime.Chunks(TEXT)
    printed_html, printed_text = mime.Printed(html, in_html), mime.Printed(text, in_text)
    given = fields()
    whole = RenderedEmail(html="".join(html), text="".join(text), **given)

    def of_pieces() -> bytes:
        email = RenderedEmail.of_pieces(html=printed_html, text=printed_text, **given)
        return email.mime("k")

    return {
        "HTML of pieces": ("", lambda: in_html.encode(html)),
        "HTML of text": ("HTML of pieces", lambda: quoted_printable(whole.html)),
        "message of pieces": ("", of_pieces),
        "message of text": ("message of pieces", lambda: mime.build(whole, "k")),
        "EmailMessage": ("message of pieces", lambda: by_library(whole)),
    }


def microseconds(run: Callable[[], object]) -> float:
    """Mean wall time of some calls, after one that warms what the row before has cooled."""
    run()
    started = time.perf_counter()
    for _ in range(CALLS):
        run()
    return (time.perf_counter() - started) * 1_000_000 / CALLS


def main() -> None:
    """Print the medians; rounds are interleaved, so that noise falls on all alike."""
    table = cases()
    times: dict[str, list[float]] = {name: [] for name in table}
    for _ in range(ROUNDS):
        for name, (_, run) in table.items():
            times[name].append(microseconds(run))
    medians = {name: median(runs) for name, runs in times.items()}
    size = sum(map(len, pieces(HTML, 90))) / 1_000
    print(f"{f'MIME, {size:.0f} kB of HTML, median of {ROUNDS}':40}{'us':>8}  ratio")
    for name, (base, _) in table.items():
        ratio = f"  {medians[name] / medians[base]:.2f} x {base}" if base else ""
        print(f"{name:40}{medians[name]:8.0f}{ratio}")


if __name__ == "__main__":
    main()
