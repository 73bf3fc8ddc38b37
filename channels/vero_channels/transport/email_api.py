"""What drivers of email APIs share: the check of what can be carried, and the parts of a body."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

import httpx

from vero_channels.transport.capabilities import Capabilities, unsupported
from vero_channels.transport.http import HttpChannel
from vero_channels.transport.http_answers import Problem
from vero_deliver import mime
from vero_deliver.errors import DeliveryError, Misconfigured, Refused
from vero_deliver.mime.headers import clean, extra_fields
from vero_deliver.rendered import Address, ContentName, File, RenderedEmail
from vero_deliver.secret import Secret, reveal

_SURROGATES = re.compile("[\ud800-\udfff]")
_CID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]{1,200}")


class EmailApi(HttpChannel[RenderedEmail]):
    """A provider of email over HTTP. A driver declares its `capabilities`."""

    contents: ClassVar[tuple[ContentName, ...]] = ("email",)
    capabilities: ClassVar[Capabilities]

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """404 and 405: the path is the driver's, so base_url or what is in the path is wrong."""
        if response.status_code in (404, 405):
            detail = f"check base_url and the options: {found.detail}"
            return Misconfigured(detail, channel=self._name, code=found.code)
        return None

    def _made(self, rendered: RenderedEmail, key: str) -> httpx.Request:
        self._check(rendered)
        request = super()._made(rendered, key)
        limit, size = self.capabilities.max_bytes, len(request.content)
        if limit is not None and size > limit:
            self._refuse(f"the request has {size} bytes, {self._provider} takes {limit}")
        return request

    def _check(self, rendered: RenderedEmail) -> None:
        wrong = list(unsupported(rendered, self.capabilities))
        if wrong:
            self._refuse(f"{self._provider} cannot carry this email: {'; '.join(wrong)}")

    def _refuse(self, detail: str) -> None:
        raise Refused(detail, channel=self._name, code="unsupported")

    @property
    def _provider(self) -> str:
        return type(self).__name__


def basic(username: str | Secret, password: str | Secret) -> Secret:
    """The value of Authorization for Basic authentication (RFC 7617)."""
    login = f"{reveal(username)}:{reveal(password)}".encode()
    return Secret(f"Basic {base64.b64encode(login).decode()}")


def bare(address: Address) -> str:
    """The address itself, its domain in ASCII. ValueError where it is none."""
    return mime.check_address(address.email)


def mailbox(address: Address) -> str:
    """`"Name" <ada@example.com>` in Unicode, for APIs that encode it; nothing in it can end it."""
    name = clean(address.name).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}" <{bare(address)}>' if name else bare(address)


def mailboxes(addresses: Sequence[Address]) -> str:
    """Mailboxes with commas between them."""
    return ", ".join(map(mailbox, addresses))


def pair(address: Address, email: str = "email", name: str = "name") -> dict[str, str]:
    """The address as an object; without a name where there is none."""
    shown = clean(address.name)
    return {email: bare(address), **({name: shown} if shown else {})}


def apart(email: RenderedEmail) -> tuple[list[Address], list[Address], list[Address]]:
    """To, cc and bcc, each address once: providers refuse, or deliver twice, what is repeated."""
    seen: set[str] = set()
    groups: tuple[list[Address], ...] = ([], [], [])
    for group, addresses in zip(groups, (email.to, email.cc, email.bcc), strict=True):
        for address in addresses:
            lower = bare(address).lower()
            if lower not in seen:
                seen.add(lower)
                group.append(address)
    return groups[0], groups[1], groups[2]


def fields(email: RenderedEmail) -> dict[str, str]:
    """The extra header fields, one line each. MessageError on a name that may not be used."""
    list(extra_fields(email.headers))  # the rules of MIME hold here too
    return {name: clean(value) for name, value in email.headers.items()}


def unsubscribes(email: RenderedEmail) -> bool:
    """True where the message has List-Unsubscribe itself, so that the provider adds none."""
    return any(name.lower() == "list-unsubscribe" for name in email.headers)


def text(value: str) -> str:
    """A body that JSON readers take: a lone surrogate is U+FFFD, as it is in MIME."""
    return value if value.isascii() else _SURROGATES.sub("\ufffd", value)


def files(email: RenderedEmail) -> Iterator[tuple[File, bool]]:
    """The attachments, and whether each is shown in the HTML. ValueError on a cid or name."""
    for file in email.attachments:
        if file.cid and not _CID.fullmatch(file.cid):
            raise ValueError(f"attachment cid {file.cid[:80]!r} has characters it may not have")
        yield file, bool(file.cid and email.html)


def encoded(file: File) -> str:
    """The content in base64."""
    return base64.b64encode(file.content).decode()


def flag(value: bool | None, yes: str, no: str) -> str | None:
    """A choice in the provider's words; None where none was made."""
    return None if value is None else yes if value else no


def present(**values: object) -> dict[str, object]:
    """Those that are not empty; False and 0 are kept."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {}, ())}
