"""The pages that people see: plain HTML, no scripts, readable in the dark and on a phone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from typing import Final

from vero_deliver.serve.words import Words

# of a mail shown as it was sent: no scripts, no forms, an origin of its own
MAIL_CSP: Final = (
    "default-src 'none'; img-src https: data:; style-src 'unsafe-inline' https:; "
    "font-src https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)
_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1d1f23;--soft:#5c6470;--line:#d9dde3;--page:#f4f5f7;
--card:#fff;--accent:#1f5fbf;--on:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaee;--soft:#a3abb8;--line:#3a404a;--page:#14161a;
--card:#1d2026;--accent:#7db0ff;--on:#10131a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:24px 16px;
background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{width:100%;max-width:440px;background:var(--card);border:1px solid var(--line);
border-radius:12px;padding:32px 28px}
h1{font-size:22px;line-height:1.3;margin:0 0 8px}
p{margin:0 0 20px;color:var(--soft)}
.from{font-size:14px;margin:0 0 20px}
fieldset{border:0;margin:0 0 24px;padding:0}
legend{padding:0;margin-bottom:8px;font-weight:600}
label{display:flex;gap:12px;align-items:center;min-height:44px;border-top:1px solid var(--line)}
input{width:20px;height:20px;margin:0;accent-color:var(--accent);flex:none}
button{display:block;width:100%;min-height:44px;margin-top:12px;border-radius:8px;font:inherit;
font-weight:600;cursor:pointer;border:1px solid var(--accent);background:var(--accent);
color:var(--on)}
button.quiet{background:none;color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
"""
_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
CSP: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def preferences(
    title: str, topics: Mapping[str, tuple[str, bool]], words: Words, *, saved: bool
) -> bytes:
    """The choice between topics, each name to words and whether it is wanted; "" is everything."""
    rows = "".join(
        f'<label><input type="checkbox" name="wanted" value="{escape(name)}"'
        f"{' checked' if wanted else ''}> {words.say(label)}</label>"
        for name, (label, wanted) in topics.items()
    )
    heading = "Saved" if saved else "Which emails would you like?"
    note = (
        "Your choice counts from now on. You can change it here at any time."
        if saved
        else "Receipts and other messages about what you did yourself still come."
    )
    form = (
        f"<fieldset><legend>{words.say('Send me')}</legend>{rows}</fieldset>"
        f'<button name="do" value="save">{words.say("Save")}</button>'
        '<button name="do" value="none" class="quiet">'
        f"{words.say('Unsubscribe from everything')}</button>"
    )
    return _page(
        title, heading, f'<p>{words.say(note)}</p><form method="post">{form}</form>', words
    )


def notice(title: str, heading: str, text: str, words: Words) -> bytes:
    """One sentence that says why there is nothing else."""
    return _page(title, heading, f"<p>{words.say(text)}</p>", words)


def _page(title: str, heading: str, body: str, words: Words) -> bytes:
    name = f'<p class="from">{escape(title)}</p>' if title else ""
    said = words.say(heading)
    return (
        f'<!doctype html><html lang="{escape(words.language)}" dir="{words.direction}">'
        '<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{said}</title><style>{_STYLE}</style></head>"
        f"<body><main>{name}<h1>{said}</h1>{body}</main></body></html>"
    ).encode()
