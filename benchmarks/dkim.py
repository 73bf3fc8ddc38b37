"""What a DKIM signature costs, beside dkimpy and beside the private-key operation alone."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from vero_deliver import mime
from vero_deliver.rendered import Address, RenderedEmail

ROUNDS, CALLS = 30, 5
AT = datetime(2026, 3, 1, 9, 30, 15, tzinfo=UTC)
ROW = '        <td style="padding: 3px 12px">A line of an order, with its price</td>\n'


def letter() -> bytes:
    """A newsletter of about 36 kB, indented as MJML writes it."""
    email = RenderedEmail(
        from_=Address("shop@example.com", "Vero Shop"),
        to=(Address("ada@example.com", "Ada"),),
        subject="Your order has been shipped",
        html=ROW * 400,
        text="A line of an order, with its price\n" * 100,
        headers={"List-Unsubscribe": "<https://example.com/u/1>"},
        at=AT,
    )
    return mime.build(email, "k")


def cases(raw: bytes) -> dict[str, tuple[str, Callable[[], object]]]:
    """Name of a row, the row it is a multiple of, and what to run."""
    rsa, ed25519 = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()
    pem = rsa.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    seed = base64.b64encode(ed25519.private_bytes_raw())
    by_rsa = mime.Signer("example.com", "rsa", rsa)
    simple = mime.Signer("example.com", "rsa", rsa, canonicalization="relaxed/simple")
    by_ed25519 = mime.Signer("example.com", "ed", ed25519)
    relaxed, body = (b"relaxed", b"relaxed"), raw.partition(b"\r\n\r\n")[2]

    def dkimpy(key: bytes, algorithm: bytes) -> object:
        return dkim.sign(
            raw, b"sel", b"example.com", key, canonicalize=relaxed, signature_algorithm=algorithm
        )

    return {
        "SHA-256 of the body": ("", lambda: hashlib.sha256(body).digest()),
        "RSA-2048 operation": ("", lambda: by_rsa.signature(b"x" * 500)),
        "sign, relaxed/simple": ("RSA-2048 operation", lambda: mime.sign(raw, [simple], AT)),
        "sign, relaxed/relaxed": ("RSA-2048 operation", lambda: mime.sign(raw, [by_rsa], AT)),
        "sign, RSA and Ed25519": (
            "RSA-2048 operation",
            lambda: mime.sign(raw, [by_rsa, by_ed25519], AT),
        ),
        "dkimpy, RSA-2048": ("sign, relaxed/relaxed", lambda: dkimpy(pem, b"rsa-sha256")),
        "Ed25519 operation": ("", lambda: by_ed25519.signature(b"x" * 500)),
        "sign, Ed25519": ("Ed25519 operation", lambda: mime.sign(raw, [by_ed25519], AT)),
        "dkimpy, Ed25519": ("sign, Ed25519", lambda: dkimpy(seed, b"ed25519-sha256")),
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
    raw = letter()
    table = cases(raw)
    times: dict[str, list[float]] = {name: [] for name in table}
    for _ in range(ROUNDS):
        for name, (_, run) in table.items():
            times[name].append(microseconds(run))
    medians = {name: median(runs) for name, runs in times.items()}
    print(f"{f'DKIM, {len(raw) / 1_000:.0f} kB, median of {ROUNDS}':32}{'us':>8}  ratio")
    for name, (base, _) in table.items():
        ratio = f"  {medians[name] / medians[base]:.2f} x {base}" if base else ""
        print(f"{name:32}{medians[name]:8.0f}{ratio}")


if __name__ == "__main__":
    main()
