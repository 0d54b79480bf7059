"""Servers on loopback, names that lead to them, and a record of every connection this process opens."""

import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LOOPBACK = "127.0.0.1"


@dataclass
class Traffic:
    """What the sockets of this process did: addresses dialled, names looked up by the system."""

    dialled: list[Any] = field(default_factory=list)
    looked_up: list[Any] = field(default_factory=list)


_watching: list[Traffic] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event in ("socket.connect", "socket.sendto"):
        _watching[-1].dialled.append(arguments[1])
        if arguments[1][0] != LOOPBACK:
            raise ConnectionRefusedError("a test leaves loopback")
    if event == "socket.getaddrinfo" and arguments[0] != LOOPBACK:
        _watching[-1].looked_up.append(arguments[0])
        raise socket.gaierror("a test asks the system for a name")


sys.addaudithook(_audit)


@contextmanager
def traffic() -> Iterator[Traffic]:
    """Records what happens in the block, at the lowest level Python has, and lets nothing leave loopback."""
    recorded = Traffic()
    _watching.append(recorded)
    try:
        yield recorded
    finally:
        _watching.remove(recorded)


class Names:
    """A resolver: each look-up of any name takes the next answer; the last one stays."""

    def __init__(self, *answers: str | Iterable[str]) -> None:
        self._answers = [[each] if isinstance(each, str) else list(each) for each in answers]
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        addresses = self._answers[min(len(self.asked), len(self._answers)) - 1]
        return [_address_info(address, port) for address in addresses]


def _address_info(address: str, port: int) -> tuple[Any, ...]:
    bare, _, zone = address.partition("%")
    place = (bare, port, 0, 7 if zone else 0) if ":" in bare else (bare, port)
    return (socket.AF_INET6 if ":" in bare else socket.AF_INET, socket.SOCK_STREAM, 6, "", place)


@dataclass
class ReceivedRequest:
    """One request a server got."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Server:
    port: int
    requests: list[ReceivedRequest] = field(default_factory=list)
    server_names: list[str | None] = field(default_factory=list)


Script = Callable[[ReceivedRequest], tuple[int, dict[str, str]]]


@contextmanager
def serving(
    script: Script = lambda _request: (200, {}), tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """An HTTP server, or HTTPS with `tls`, that answers as `script` says, with an empty body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = ReceivedRequest(self.command, self.path, dict(self.headers.items()))
            server.requests.append(request)
            status, headers = script(request)
            self.send_response_only(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _answer  # noqa: N815 - their names

    listening = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    listening.daemon_threads = True
    listening.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that hang up are meant
    server = Server(listening.server_port)
    if tls:
        tls.sni_callback = lambda _socket, name, _context: server.server_names.append(name)
        listening.socket = tls.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()


@dataclass
class Certified:
    """A certificate for one name, and the roots it is verified by."""

    roots: str
    context: ssl.SSLContext


def certified(name: str, directory: Path) -> Certified:
    """A self-made certificate, its own root, for `name`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    roots, both = directory / f"{name}.roots", directory / f"{name}.pem"
    roots.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both.write_bytes(secret + roots.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return Certified(str(roots), context)
