"""Our HTTP/2 client against servers that nobody here wrote: nginx and nghttpd."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from push_server import authority, client_context

from vero_channels.transport.http2 import Http2Client
from vero_channels.transport.http2_exchange import Answer
from vero_channels.transport.http2_fields import Fields, literal

pytestmark = pytest.mark.anyio

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
NGHTTPD = shutil.which("nghttpd") or shutil.which("nghttpd", path="/usr/sbin")
FIELDS = Fields("localhost", [("apns-topic", "com.example.app"), ("authorization", "x" * 250)])
CONFIG = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  log_format ids "$http_apns_id"; access_log {folder}/ids.log ids;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl http2; {more}
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    location /3/device/dead {{
      default_type application/json;
      return 410 '{{"reason":"Unregistered","timestamp":1454402113000}}';
    }}
    location /3/device/ {{ add_header apns-id $http_apns_id always; return 200; }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write_certificate(folder: Path) -> None:
    own = authority().issue_cert("localhost", "127.0.0.1")
    own.private_key_pem.write_to_path(folder / "key.pem")
    for pem in own.cert_chain_pems:
        pem.write_to_path(folder / "cert.pem", append=True)


@asynccontextmanager
async def running(port: int, *command: str) -> AsyncIterator[Http2Client]:
    """The server in a process of its own, and a client of it."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    client = Http2Client("127.0.0.1", port, context=client_context())
    try:
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                break
        yield client
    finally:
        await client.aclose()
        process.terminate()
        await process.wait()


@asynccontextmanager
async def nginx(folder: Path, more: str = "") -> AsyncIterator[Http2Client]:
    if NGINX is None:
        pytest.skip("nginx is not installed")
    write_certificate(folder)
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, more=more))
    async with running(port, NGINX, "-p", str(folder), "-c", str(config)) as client:
        yield client


async def post(client: Http2Client, number: int, path: str = "/3/device/") -> Answer:
    named = literal(":path", f"{path}{number:064x}")
    return await client.request(FIELDS, named, literal("apns-id", f"id-{number}"), b'{"aps":{}}')


async def post_all(client: Http2Client, count: int, path: str = "/3/device/") -> Counter[int]:
    """The statuses of so many requests, 200 in flight."""
    numbers, found = iter(range(count)), Counter[int]()

    async def worker() -> None:
        for number in numbers:
            answer = await post(client, number, path)
            found[answer.status] += 1

    await asyncio.gather(*(worker() for _ in range(200)))
    return found


@pytest.mark.parametrize(
    ("count", "more"),
    [
        (5_000, "keepalive_requests 1000;"),
        (1_000, "http2_max_concurrent_streams 1;"),
        (2_000, "keepalive_requests 7; http2_max_concurrent_streams 5;"),
    ],
)
async def test_nginx_gets_every_request_once(tmp_path: Path, count: int, more: str) -> None:
    """GOAWAY after some requests, few streams: all are accepted, none comes twice."""
    async with nginx(tmp_path, more) as client:
        assert await post_all(client, count) == {200: count}
    arrived = Counter((tmp_path / "ids.log").read_text().split())
    assert len(arrived) == count
    assert set(arrived.values()) == {1}


async def test_storm_of_errors_from_nginx(tmp_path: Path) -> None:
    """5,000 answers with bodies and Huffman-coded fields."""
    async with nginx(tmp_path) as client:
        assert await post_all(client, 5_000, "/3/device/dead") == {410: 5_000}
        answer = await post(client, 1, "/3/device/dead")
        assert answer.body == b'{"reason":"Unregistered","timestamp":1454402113000}'
        assert answer.headers["content-type"] == "application/json"
        assert (await post(client, 1)).headers["apns-id"] == "id-1"


@pytest.mark.skipif(NGHTTPD is None, reason="nghttpd is not installed")
@pytest.mark.parametrize("options", [[], ["-m", "1"], ["--header-table-size=0"], ["-w", "14"]])
async def test_nghttpd_answers_every_request(tmp_path: Path, options: list[str]) -> None:
    """Another HTTP/2 stack: one stream, no table, small windows; large bodies come back whole."""
    assert NGHTTPD
    write_certificate(tmp_path)
    port = free_port()
    files = [str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")]
    command = [NGHTTPD, *options, "--echo-upload", "-a", "127.0.0.1", "-d", str(tmp_path)]
    (tmp_path / "3").mkdir()
    async with running(port, *command, str(port), *files) as client:
        answers = await asyncio.gather(*(post(client, number) for number in range(500)))
        assert {answer.body for answer in answers} == {b'{"aps":{}}'}
        body = bytes(range(256)) * 200
        echo = await client.request(FIELDS, literal(":path", "/3"), b"", body)
        assert echo.body == body
