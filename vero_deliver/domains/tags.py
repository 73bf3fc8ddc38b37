"""Tag lists, `v=DKIM1; k=rsa; p=...`, as DKIM and DMARC records have them (RFC 6376, 3.2)."""

from __future__ import annotations


def parse_tags(text: str) -> dict[str, str]:
    """The tags in order, names in lower case. ValueError with the reason where it is no list."""
    tags: dict[str, str] = {}
    for part in text.strip(" \t\r\n;").split(";"):
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if not equals or not name:
            raise ValueError(f"{part.strip()[:40]!r} is no tag=value")
        if name in tags:
            raise ValueError(f"the tag {name[:40]!r} is there twice")
        tags[name] = value.strip()
    return tags
