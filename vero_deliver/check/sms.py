"""What a text message costs, and what carriers and the law ask of it.

Sources: 3GPP TS 23.038 (what GSM-7 has); CTIA Messaging Principles and Best Practices (opt-out
words, public URL shorteners).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from vero_deliver.check.finding import Hit, Severity
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen
from vero_deliver.check.urls import host_of, is_local, is_shortener
from vero_deliver.segments import segments, shown, smart_encoded

_URL: Final = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}(?:/[^\s<>\"]*)?", re.IGNORECASE)
# the words that carriers act on, and what other languages say
_LEAVE: Final = re.compile(
    r"\b(?:stopp?|stopall|unsub\w*|opt.?out|arr[eê]t|baja|parar|abmelden|odhl[aá]sit|rezygnuj|"
    r"smetti|afmelden|(?-i:END|CANCEL|QUIT))\b",
    re.IGNORECASE,
)


@rule("sms/unlimited", "warning")
def unlimited(seen: Seen) -> Iterator[Hit]:
    """A text takes several segments, and nothing says how many it may.

    Each segment is paid for, and a long name or a letter that GSM-7 has not makes one more. With
    `max_segments` a text that takes more is an error before it is sent.
    """
    for text in seen.texts:
        found = segments(text.rendered.body)
        if text.rendered.max_segments is None and found.count > 1:
            words = f"takes {found.count} segments of {found.encoding}"
            hint = f"write max_segments = {found.count}, if it is meant"
            yield Hit(words, on=text, at="body", detail=f"{found.units} units", hint=hint)


@rule("sms/gsm7", "warning")
def gsm7(seen: Seen) -> Iterator[Hit]:
    """One character makes a text cost more than twice as much.

    GSM-7 fits 160 characters into a segment, UCS-2 70: a typographic quote, a dash or an emoji in
    an otherwise plain text is enough. What costs no segment more yet is info. Letters count in
    English, where they come with a name; in other languages they are how it is written.
    """
    for text in seen.texts:
        body = text.rendered.body
        found = segments(body)
        plain = _plainer(body, english=text.sample.language.startswith("en"))
        then = segments(plain)
        if found.encoding == "GSM-7" or then.encoding != "GSM-7":
            continue  # it is written so, and should be
        words = f"{shown(found.outside)} makes it UCS-2"
        cost = f"{found.count} segments, {then.count} without"
        severity: Severity | None = None if then.count < found.count else "info"
        yield Hit(words, on=text, at="body", detail=cost, hint=_offer(body), severity=severity)


@rule("sms/opt-out", "error")
def opt_out(seen: Seen) -> Iterator[Hit]:
    """A marketing text does not say how to stop them.

    Carriers in the US, and the law in many countries, ask for words such as "Reply STOP to end".
    Who finds none reports it as spam, and the number is blocked.
    """
    for text in seen.texts:
        if text.rendered.kind == "marketing" and not _LEAVE.search(text.rendered.body):
            hint = 'end with "Reply STOP to end"'
            yield Hit("no word such as STOP", on=text, at="body", hint=hint)


@rule("sms/shortener", "warning")
def shortener(seen: Seen) -> Iterator[Hit]:
    """A text links over a public shortener.

    Carriers block their hosts, since phishing hides behind them. Use a short domain of your own.
    """
    for text in seen.texts:
        for host in _hosts(text.rendered.body):
            if is_shortener(host):
                yield Hit(f"carriers block {host}", on=text, at="body")


@rule("sms/link", "error")
def link(seen: Seen) -> Iterator[Hit]:
    """A text links to the author's own network.

    localhost or a private address works on the desk where the message was written, and on no
    phone.
    """
    for text in seen.texts:
        for url in re.findall(r"https?://[^\s<>\"]+", text.rendered.body):
            host = host_of(url)
            if host and is_local(host):
                yield Hit(f"only your own network knows {host}", on=text, at="body")


def _hosts(body: str) -> Iterator[str]:
    for url in _URL.findall(body):
        yield host_of(url if "://" in url else f"https://{url}")


def _plainer(body: str, *, english: bool = True) -> str:
    """In GSM-7 as far as it can be said there: no emoji, and in English no accents it lacks.

    A letter that has no plain one stays, as all letters do in other languages.
    """
    kept = []
    for letter in smart_encoded(body):
        if not segments(letter).outside:
            kept.append(letter)
            continue
        bare = unicodedata.normalize("NFKD", letter)
        plain = "".join(each for each in bare if not segments(each).outside)
        stays = letter.isalpha() and not (english and plain)
        kept.append(letter if stays else plain)
    return "".join(kept)


def _offer(body: str) -> str:
    """What to write in place of each character."""
    if segments(smart_encoded(body)).encoding == "GSM-7":
        return "write smart_encoding = true in [sms], or the plain ones"
    pairs = []
    for letter in segments(body).outside[:5]:
        plain = _plainer(letter)
        pairs.append(f"{plain} for {letter}" if plain else f"nothing for {letter}")
    return f"write {', '.join(pairs)}"
