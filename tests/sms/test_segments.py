"""Segments of text messages, counted as Twilio counts."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from vero_deliver.segments import Segments, segments, smart_encoded

PEERS = Path(__file__).parents[1] / "peers"
GSM = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡AZÄÖÑÜ§¿azäöñüà\n\r"
EXTENDED = "^{}\\[~]|€\f"
OTHERS = (
    "ěščřžýáíé", "Привет мир", "你好世界", "مرحبا", "“”‘’–—…\u00a0", "e\u0301n\u0303a\u0308",
    "नमस्ते", "한국어", "각", "สวัสดี", "`çÁ\t\u200b",
)  # fmt: skip
# none where a second person has a skin tone, which the calculator takes for a character apart
EMOJI = ("😀", "👍🏽", "👩‍👩‍👧‍👦", "🇨🇿", "🇬🇧", "❤️", "👨🏿‍🚀", "🏳️‍🌈", "1️⃣", "👩🏻‍❤️‍💋‍👨")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments("GSM-7", 1, 0)),
        ("a" * 160, Segments("GSM-7", 1, 160)),
        ("a" * 161, Segments("GSM-7", 2, 161)),
        ("a" * 306, Segments("GSM-7", 2, 306)),
        ("a" * 307, Segments("GSM-7", 3, 307)),
        ("€" * 80, Segments("GSM-7", 1, 160)),
        ("a" * 152 + "€" * 10, Segments("GSM-7", 2, 172)),
        # an escape and its character stay together: the first segment ends one septet early
        ("a" * 152 + "€" + "b" * 152, Segments("GSM-7", 3, 306)),
        ("ě" * 70, Segments("UCS-2", 1, 70, ("ě",))),
        ("ě" * 71, Segments("UCS-2", 2, 71, ("ě",))),
        ("ě" * 134, Segments("UCS-2", 2, 134, ("ě",))),
        # a pair of surrogates stays together
        ("ě" * 66 + "😀" + "ě" * 66, Segments("UCS-2", 3, 134, ("ě", "😀"))),
        ("“Ahoj” – ç", Segments("UCS-2", 1, 10, ("“", "”", "–", "ç"))),
    ],
    ids=lambda value: str(value)[:12],
)  # fmt: skip
def test_counts(text: str, expected: Segments) -> None:
    """Encoding, segments, units, and the characters that made it UCS-2."""
    assert segments(text) == expected


def generated(count: int) -> list[str]:
    """Texts of every kind, many of them around the lengths where another segment begins."""
    chance = random.Random(8)
    texts = []
    for _ in range(count):
        pool = [*GSM]
        kind = chance.randrange(5)
        if kind:
            pool += [*EXTENDED]
        if kind > 1:
            pool += [each for word in chance.sample(OTHERS, 2) for each in word]
        if kind > 2:
            pool += EMOJI
        length = chance.choice((0, 1, 60, 67, 70, 134, 153, 160, 306, 459)) + chance.randrange(12)
        texts.append("".join(chance.choice(pool) for _ in range(length)))
    return texts


def test_twilio_counts_the_same() -> None:
    """Encoding and count of 10,000 texts are those of Twilio's own calculator."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node, which Twilio's calculator needs")
    if not (PEERS / "node_modules/sms-segments-calculator").is_dir():
        pytest.fail("the calculator is not installed: run scripts/peers (as scripts/test does)")
    texts = generated(10_000)
    done = subprocess.run(
        [node, "segments.mjs"], input=json.dumps(texts), cwd=PEERS, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    theirs = [tuple(each) for each in json.loads(done.stdout)]
    assert len({count for _, count in theirs}) > 10
    ours = [(found.encoding, found.count) for found in map(segments, texts)]
    wrong = [(text, o, t) for text, o, t in zip(texts, ours, theirs, strict=True) if o != t]
    assert not wrong, f"{len(wrong)} differ: {wrong[:2]!a}"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("“It’s” – „on its way“…", '"It\'s" - "on its way"...'),
        ("1\u00a0000\u202f€", "1 000 €"),
        ("Ｖｅｒｏ ½", "Vero 1/2"),
        ("soft\u00adhyphen\u200b", "softhyphen"),
        ("Žluťoučký kůň 🐎", "Žluťoučký kůň 🐎"),
    ],
)
def test_smart_encoding(text: str, plain: str) -> None:
    """Typography becomes GSM-7; letters and pictures stay as they are."""
    assert smart_encoded(text) == plain


def test_smart_encoding_leaves_gsm_alone() -> None:
    """What GSM-7 has is never replaced."""
    assert smart_encoded(GSM + EXTENDED) == GSM + EXTENDED
