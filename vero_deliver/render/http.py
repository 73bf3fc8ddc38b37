"""An HTTP request composed for one user."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from vero_deliver.message import Http
from vero_deliver.render.draft import Draft
from vero_deliver.render.json_values import parse
from vero_deliver.rendered import RenderedHttp

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2


def compose(draft: Draft, http: Http) -> RenderedHttp:
    """The request; a JSON body is JSON, whatever the data holds."""
    headers = draft.lines(http.headers, "http.headers")
    for name in headers:
        if not _TOKEN.fullmatch(name):
            raise draft.wrong(http.url, "http.headers", f"{name[:40]!r} is no header name")
    body = _body(draft, http, headers)
    return RenderedHttp(
        method=http.method,
        url=_url(draft, http.url),
        headers=headers,
        body=body,
        **draft.common(),
    )


def _url(draft: Draft, template: str) -> str:
    url = draft.text(template, "http.url").strip()
    if not template:
        return ""  # the channel's own
    if not _is_url(url):
        raise draft.wrong(template, "http.url", f"{url[:60]!r} is no http(s) URL")
    return url


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket, or a letter that normalises to a slash
        return False
    plain = url.isprintable() and " " not in url
    return plain and parts.scheme in {"http", "https"} and bool(parts.hostname)


def _body(draft: Draft, http: Http, headers: dict[str, str]) -> bytes:
    type_name = next((name for name in headers if name.lower() == "content-type"), "")
    if http.json is not None:
        if not type_name:
            headers["Content-Type"] = "application/json"
        value = draft.tree(http.json, "http.json")
        return json.dumps(value, ensure_ascii=False).encode()
    if "json" not in headers.get(type_name, ""):
        return draft.text(http.body, "http.body").encode()
    body = draft.text(http.body, "http.body", escape="json")
    try:
        parse(body)
    except ValueError as error:
        raise draft.wrong(
            http.body, "http.body", f"is not the JSON it says it is: {error}"
        ) from None
    return body.encode()
