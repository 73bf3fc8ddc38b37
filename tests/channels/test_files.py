"""The drivers that write files: eml and json."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vero_channels.documents import Documents
from vero_channels.email.eml import Eml
from vero_channels.transport.files import stem
from vero_deliver.channel import Channel
from vero_deliver.errors import Misconfigured, Refused
from vero_deliver.rendered import Address, RenderedEmail, RenderedHttp, RenderedPush, RenderedSms
from vero_deliver.testing import (
    HOSTILE_KEYS,
    ChannelContract,
    sample_email,
    sample_http,
    sample_push,
    sample_sms,
)

KEYS = st.text(st.characters(codec=None), max_size=300) | st.sampled_from(HOSTILE_KEYS)


def names(folder: Path) -> list[str]:
    """Every file there is, temporary ones included."""
    return sorted(file.name for file in folder.iterdir())


class TestEml(ChannelContract[RenderedEmail]):
    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedEmail]]:
        with TemporaryDirectory() as folder:
            self.folder = Path(folder)
            yield Eml(folder)

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedEmail]]:
        yield Eml(Path(__file__, "below-a-file"))

    def sample(self, key: str) -> RenderedEmail:
        return sample_email(text=f"This is {key!r}.")

    def arrived(self) -> int:
        return len(list(self.folder.glob("*.eml")))


class TestDocuments(ChannelContract[RenderedPush | RenderedSms | RenderedHttp]):
    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedPush | RenderedSms | RenderedHttp]]:
        with TemporaryDirectory() as folder:
            self.folder = Path(folder)
            yield Documents(folder)

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedPush | RenderedSms | RenderedHttp]]:
        yield Documents(Path(__file__, "below-a-file"))

    def sample(self, key: str) -> RenderedPush:
        return sample_push(body=f"This is {key!r}.")

    def arrived(self) -> int:
        return len(list(self.folder.glob("*.json")))


class TestEmlFiles:
    @pytest.mark.anyio
    async def test_holds_the_bytes_of_smtp(self, tmp_path: Path) -> None:
        """The .eml is mime(key) to the byte, and provider_id is its path."""
        email = sample_email()
        receipt = await Eml(tmp_path).send(email, "order-1001")
        assert receipt.provider_id == str(tmp_path / "order-1001.eml")
        assert (tmp_path / "order-1001.eml").read_bytes() == email.mime("order-1001")

    @pytest.mark.anyio
    async def test_envelope_is_beside(self, tmp_path: Path) -> None:
        """The .json has what the bytes do not tell: Bcc and the key as it was."""
        email = sample_email(bcc=(Address("ben@example.org"),))
        await Eml(tmp_path).send(email, "Order/1001")
        assert json.loads((tmp_path / "%4frder%2f1001.json").read_bytes()) == {
            "key": "Order/1001",
            "at": "2026-01-02T12:00:00+00:00",
            "from": "shop@example.com",
            "recipients": ["ada@example.org", "ben@example.org"],
        }

    @pytest.mark.anyio
    async def test_unsendable_email_is_refused(self, tmp_path: Path) -> None:
        """An email that has no MIME form is refused and leaves no file."""
        with pytest.raises(Refused):
            await Eml(tmp_path).send(sample_email(to=(Address("nobody"),)), "key-1")
        assert not names(tmp_path)


class TestDocumentFiles:
    @pytest.mark.anyio
    @pytest.mark.parametrize("rendered", [sample_push(), sample_sms(), sample_http()])
    async def test_one_file_per_content(self, tmp_path: Path, rendered: Any) -> None:
        """The file's name and its `content` say what it is; the fields are all there."""
        await Documents(tmp_path).send(rendered, "key-1")
        document = json.loads((tmp_path / f"key-1.{rendered.content}.json").read_bytes())
        assert document["content"] == rendered.content
        assert set(document) == {"key", "content", *type(rendered).__dataclass_fields__}

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("body", "written"),
        [("žluť".encode(), "žluť"), (b"\xff\x00", {"base64": "/wA="})],
    )
    async def test_http_body(self, tmp_path: Path, body: bytes, written: Any) -> None:
        """A body that is UTF-8 is text, another one base64 that says so."""
        await Documents(tmp_path).send(sample_http(body=body), "key-1")
        assert json.loads((tmp_path / "key-1.http.json").read_bytes())["body"] == written

    @pytest.mark.anyio
    @pytest.mark.parametrize("extra", [object(), float("nan"), {1, 2j}])
    async def test_what_is_no_json_is_refused(self, tmp_path: Path, extra: Any) -> None:
        """Raw extras that JSON cannot hold are refused and leave no file."""
        push = sample_push(ios={"aps": extra})
        with pytest.raises(Refused, match="JSON"):
            await Documents(tmp_path).send(push, "key-1")
        assert not names(tmp_path)

    @pytest.mark.anyio
    async def test_lone_surrogates_survive(self, tmp_path: Path) -> None:
        """Text that UTF-8 cannot hold is escaped and read back the same."""
        await Documents(tmp_path).send(sample_sms(body="a\udc80b"), "key-1")
        assert json.loads((tmp_path / "key-1.sms.json").read_bytes())["body"] == "a\udc80b"


class TestStem:
    @given(KEYS)
    @example("")
    @example("nul")
    def test_is_a_plain_bounded_name(self, key: str) -> None:
        """Whatever the key: a short ASCII name without separators or dots."""
        name = stem(key)
        assert 0 < len(name) <= 120
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_%~")

    @given(KEYS, KEYS)
    @example("A", "a")
    @example("", "%")
    @example("con", "%63on")
    @example("k" * 2000, "k" * 1999)
    def test_distinct_keys_stay_apart_without_case(self, one: str, other: str) -> None:
        """Two keys share a name only if they are the same, case ignored or not."""
        assert (stem(one).lower() == stem(other).lower()) is (one == other)

    def test_ordinary_keys_are_readable(self) -> None:
        """A key of lower-case letters, digits, - and _ is its own name."""
        assert stem("order-1001_shipped") == "order-1001_shipped"


class TestStore:
    @pytest.mark.anyio
    @pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
    async def test_only_the_owner_reads(self, tmp_path: Path) -> None:
        """Files have mode 0600 and a folder that had to be made 0700."""
        folder = tmp_path / "new" / "captured"
        await Eml(folder).send(sample_email(), "key-1")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}

    @pytest.mark.anyio
    async def test_failed_replacement_leaves_the_old_file(self, tmp_path: Path) -> None:
        """Where the name cannot be taken the error says why, and no temporary file stays."""
        (tmp_path / "key-1.eml").mkdir()
        with pytest.raises(Misconfigured) as caught:
            await Eml(tmp_path).send(sample_email(), "key-1")
        assert caught.value.code in {errno.errorcode[n] for n in (errno.EISDIR, errno.EACCES)}
        assert names(tmp_path) == ["key-1.eml", "key-1.json"]

    @pytest.mark.anyio
    async def test_links_are_replaced_not_followed(self, tmp_path: Path) -> None:
        """A link that waits in the folder does not lead the message elsewhere."""
        target = tmp_path / "target"
        target.write_bytes(b"untouched")
        folder = tmp_path / "captured"
        folder.mkdir()
        (folder / "key-1.eml").symlink_to(target)
        await Eml(folder).send(sample_email(), "key-1")
        assert target.read_bytes() == b"untouched"

    @pytest.mark.anyio
    async def test_same_key_at_once(self, tmp_path: Path) -> None:
        """Many writers of one key leave one whole file."""
        email, channel = sample_email(), Eml(tmp_path)
        await asyncio.gather(*(channel.send(email, "key-1") for _ in range(20)))
        assert names(tmp_path) == ["key-1.eml", "key-1.json"]
        assert (tmp_path / "key-1.eml").read_bytes() == email.mime("key-1")
