"""A DNS server on loopback, UDP and TCP on one port, with a zone and faults to order."""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
from collections.abc import Iterator, Mapping
from typing import Final, Literal

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone

Fault = Literal["drop", "servfail", "refused", "garbage", "cname loop"]

_CNAMES: Final = 8


class DnsServer:
    """Answers from a zone file; `faults` are by name, `asked` is what it was asked, in order."""

    def __init__(self, zone: str, faults: Mapping[str, Fault]) -> None:
        self.faults = dict(faults)
        self.asked: list[tuple[str, str]] = []
        self.over_tcp = 0
        self.port = 0
        self.publish(zone)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def publish(self, zone: str) -> None:
        """Replace the zone."""
        self._zone = dns.zone.from_text(
            zone, origin=".", relativize=False, check_origin=False, allow_include=False
        )

    def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        [question] = query.question
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append((name, dns.rdatatype.to_text(question.rdtype)))
        self.over_tcp += tcp
        fault = self.faults.get(name)
        if fault == "drop":
            return None
        if fault == "garbage":
            return wire[:2] + b"\xff" * 40
        reply = dns.message.make_response(query, recursion_available=True)
        if fault in ("servfail", "refused"):
            reply.set_rcode(dns.rcode.SERVFAIL if fault == "servfail" else dns.rcode.REFUSED)
        elif fault == "cname loop":
            for _ in range(2):
                reply.answer.append(dns.rrset.from_text(name + ".", 60, "IN", "CNAME", name + "."))
        else:
            self._fill(reply, question.name, question.rdtype)
        limit = 65_535 if tcp else (query.payload if query.edns >= 0 else 512)
        whole = reply.to_wire(max_size=65_535)
        if len(whole) <= limit:
            return whole
        reply.answer.clear()
        reply.flags |= dns.flags.TC
        return reply.to_wire()

    def _fill(
        self, reply: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> None:
        for _ in range(_CNAMES):
            found = self._zone.get_rrset(name, kind)
            if found is not None:
                reply.answer.append(found)
                return
            alias = self._zone.get_rrset(name, "CNAME")
            if alias is None:
                break
            reply.answer.append(alias)
            [target] = alias
            name = dns.name.from_text(target.to_text())
        below = any(known.is_subdomain(name) for known in self._zone.nodes)
        if not below and not reply.answer:
            reply.set_rcode(dns.rcode.NXDOMAIN)


def _on_one_port(
    tcp: type[socketserver.BaseRequestHandler], udp: type[socketserver.BaseRequestHandler]
) -> tuple[socketserver.ThreadingTCPServer, socketserver.ThreadingUDPServer]:
    """Both bound to a port that is free for both."""
    while True:
        first = socketserver.ThreadingTCPServer(("127.0.0.1", 0), tcp)
        try:
            return first, socketserver.ThreadingUDPServer(first.server_address, udp)
        except OSError:
            first.server_close()


@contextlib.contextmanager
def dns_server(zone: str = "", faults: Mapping[str, Fault] | None = None) -> Iterator[DnsServer]:
    """A server in threads of its own, on a free port of 127.0.0.1."""
    server = DnsServer(zone, faults or {})

    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, socket = self.request
            answer = server.answer(wire, tcp=False)
            if answer is not None:
                socket.sendto(answer, self.client_address)

    class Tcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            [size] = struct.unpack("!H", self.rfile.read(2))
            answer = server.answer(self.rfile.read(size), tcp=True)
            if answer is not None:
                self.wfile.write(struct.pack("!H", len(answer)) + answer)

    with contextlib.ExitStack() as stack:
        tcp, udp = _on_one_port(Tcp, Udp)
        stack.enter_context(tcp)
        stack.enter_context(udp)
        server.port = udp.server_address[1]
        threads = [threading.Thread(target=each.serve_forever, args=(0.05,)) for each in (udp, tcp)]
        for thread in threads:
            thread.start()
        try:
            yield server
        finally:
            for each in (udp, tcp):
                each.shutdown()
            for thread in threads:
                thread.join()
