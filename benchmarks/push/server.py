"""nginx as APNs and FCM: answers everything, goes away after 1,000 requests where asked to."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from benchmarks.render.case import Unavailable

GOAWAY_EVERY = 1_000
CONFIG = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  log_format ids "$http_apns_id"; access_log off; http2_max_concurrent_streams 1000;
  keepalive_requests 1000000000; keepalive_timeout 600s;
  ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {servers}
}}
"""
SERVER = """
  server {{
    listen 127.0.0.1:{port} ssl http2; {more}
    location /3/device/ {{ add_header apns-id $http_apns_id always; return 200; }}
    location /v1/projects/ {{
      default_type application/json;
      return 200 '{{"name":"projects/p/messages/0:1500415314455276%31bd1c9631bd1c96"}}';
    }}
    location /token {{
      default_type application/json;
      return 200 '{{"access_token":"ya29.stub","expires_in":3599,"token_type":"Bearer"}}';
    }}
  }}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running nginx. port: never goes away; restless: does. ca: who signed its certificate."""

    folder: Path
    port: int
    restless: int

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def arrived(self) -> Counter[str]:
        """How often each apns-id came to the restless one; forgets them."""
        log = self.folder / "ids.log"
        time.sleep(0.3)
        found = Counter(log.read_text().split())
        log.write_text("")  # nginx appends
        return found


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running() -> Iterator[Server]:
    """The server, in a process of its own, for the time of the `with`. Raises Unavailable."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        raise Unavailable("nginx is not installed")
    with TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder, _free(), _free())
        authority = trustme.CA()
        authority.cert_pem.write_to_path(server.ca)
        own = authority.issue_cert("localhost", "127.0.0.1")
        own.private_key_pem.write_to_path(folder / "key.pem")
        for pem in own.cert_chain_pems:
            pem.write_to_path(folder / "cert.pem", append=True)
        restless = f"keepalive_requests {GOAWAY_EVERY}; access_log {folder}/ids.log ids;"
        servers = [
            SERVER.format(port=server.port, more=""),
            SERVER.format(port=server.restless, more=restless),
        ]
        config = folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=folder, servers="".join(servers)))
        command = [nginx, "-p", name, "-c", str(config)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                _wait(server.port)
                yield server
            finally:
                process.terminate()


def _wait(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Unavailable("nginx does not start")
