"""The reader of many objects: it returns the expected objects, and no others, whatever a server answers."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from typing import Any

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from functions.shared import aws_signature
from functions.shared.aws_signature import NO_BODY_HASH, Signer
from functions.shared.buckets import object_reader
from functions.shared.buckets.contract import ExpectedObject
from functions.shared.buckets.object_connection import MAX_HEAD_BYTES
from functions.shared.buckets.object_reader import CONNECTIONS, MAX_OBJECT_BYTES, ObjectReader

ENVIRONMENT = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "session+token/==",
}
TENANTS = ("acme", "globex")

Respond = Callable[[str], bytes]
"""The response for a path, percent-encoded as it was sent; empty to close the connection."""


CUT = b"<cut>"
"""At the end of a response: the connection is closed here."""


def key_of(tenant: str, number: int) -> str:
    return f"staged/v1/tenant={tenant}/day=2026-11-30/{number:026}-r1-b9-x20261230.ndjson.zst"


def body_of(path: str) -> bytes:
    """Different for each object, in bytes and in length."""
    return path.encode() * (1 + len(path) % 7 + int(path.partition("-r1")[0][-4:]) % 50)


def path_of(key: str) -> str:
    return f"/staging/{key.replace('=', '%3D')}"


def etag_of(body: bytes) -> str:
    return md5(body, usedforsecurity=False).hexdigest()


def expected(key: str) -> tuple[str, ExpectedObject]:
    body = body_of(path_of(key))
    return key, ExpectedObject(etag_of(body), len(body))


def http_200(body: bytes, etag: str = "", more: str = "", version: str = "1.1") -> bytes:
    etag = etag or etag_of(body)
    head = f'HTTP/{version} 200 OK\r\nETag: "{etag}"\r\n{more}Content-Length: {len(body)}\r\n\r\n'
    return head.encode() + body


def complete_response(path: str) -> bytes:
    return http_200(body_of(path))


class Server:
    """Answers each GET with what `respond` makes of it; counts connections and requests."""

    def __init__(self, respond: Respond, tls: ssl.SSLContext | None = None, pieces: int = 1) -> None:
        self.respond = respond
        self.connections = self.requests = 0
        self.heads: list[bytes] = []
        self._tls = tls
        self._pieces = pieces
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.close_connections()

    def close_connections(self) -> None:
        for each in self.open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.open.clear()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        try:
            with self._tls.wrap_socket(accepted, server_side=True) if self._tls else accepted as connection:
                self.open.append(connection)
                while (head := self._head(connection)) and (answer := self.respond(head.split()[1].decode())):
                    self.requests += 1
                    self.heads.append(head)
                    size = -(-len(answer) // self._pieces)
                    for start in range(0, len(answer), size):
                        connection.sendall(answer[start : start + size].removesuffix(CUT))
                    if answer.endswith(CUT):
                        return
        except OSError:
            return

    def _head(self, connection: socket.socket) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = connection.recv(65_536)
            if not piece:
                return b""
            head += piece
        return head


Serve = Callable[..., Server]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    servers: list[Server] = []
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    def begin(respond: Respond, tls: ssl.SSLContext | None = None, pieces: int = 1) -> Server:
        servers.append(Server(respond, tls, pieces))
        scheme = "https" if tls else "http"
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"{scheme}://localhost:{servers[-1].port}")
        return servers[-1]

    yield begin
    for each in servers:
        each.close()


@pytest.mark.parametrize("pieces", [1, 7])
def test_every_object_of_two_tenants_is_its_own(serve: Serve, pieces: int) -> None:
    """In pieces, a response reaches the reader in several reads."""
    server = serve(complete_response, pieces=pieces)
    keys = [key_of(tenant, number) for number in range(100) for tenant in TENANTS]

    bodies = ObjectReader("staging").read([expected(each) for each in keys])

    assert bodies == [body_of(path_of(each)) for each in keys]
    assert server.connections == CONNECTIONS


def test_connections_are_kept_until_the_server_ends_them(serve: Serve) -> None:
    server = serve(complete_response)
    reader = ObjectReader("staging")
    for _ in range(3):
        assert None not in reader.read([expected(key_of("acme", each)) for each in range(4)])
    assert server.connections == 4

    server.close_connections()
    threading.Event().wait(0.05)
    assert None not in reader.read([expected(key_of("globex", each)) for each in range(4)])
    assert server.connections == 8


@pytest.mark.parametrize(("more", "version"), [("Connection: close\r\n", "1.1"), ("", "1.0")])
def test_a_connection_that_ends_after_a_response_is_renewed(serve: Serve, more: str, version: str) -> None:
    server = serve(lambda path: http_200(body_of(path), more=more, version=version))

    assert None not in ObjectReader("staging").read([expected(key_of("acme", each)) for each in range(40)])
    assert server.connections == 40


BAD = {
    "another object": lambda body: http_200(body, etag="0" * 32),
    "a longer object": lambda body: http_200(body + b"more"),
    "a shorter object": lambda body: http_200(body[:-1], etag=etag_of(body)),
    "an error": lambda body: http_200(body).replace(b"200 OK", b"503 Slow Down"),
    "a missing object": lambda _body: b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "no length": lambda body: http_200(body).replace(b"Content-Length", b"X-Length"),
    "no ETag": lambda body: http_200(body).replace(b"ETag", b"X-Tag"),
    "two lengths": lambda body: http_200(body, more=f"Content-Length: {len(body)}\r\n"),
    "chunks": lambda body: http_200(body, more="Transfer-Encoding: chunked\r\n"),
    "an early end": lambda body: http_200(body)[:-1] + CUT,
    "more than the object": lambda body: http_200(body) + b"HTTP/1.1 200 OK",
    "an endless head": lambda body: http_200(body, more=f"X: {'x' * MAX_HEAD_BYTES}\r\n"),
    "no answer": lambda _body: b"",
    "no HTTP": lambda _body: b"SSH-2.0-OpenSSH\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD)
def test_another_response_is_no_object(serve: Serve, name: str) -> None:
    """And what follows on its connection is not read: the other tenant's objects are their own."""
    bad = path_of(key_of("acme", 3))
    serve(lambda path: BAD[name](body_of(path)) if path == bad else complete_response(path))
    keys = [key_of(tenant, number) for number in range(6) for tenant in TENANTS]

    bodies = ObjectReader("staging").read([expected(each) for each in keys])

    assert bodies == [None if path_of(each) == bad else body_of(path_of(each)) for each in keys]


def test_a_server_that_fails_is_left_after_one_attempt_on_each_connection(serve: Serve) -> None:
    server = serve(lambda _path: b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n")

    assert not any(ObjectReader("staging").read([expected(key_of("acme", each)) for each in range(100)]))
    assert server.requests == CONNECTIONS


def test_a_stalled_response_is_left_after_a_while(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_reader, "STALL_SECONDS", 0.2)
    stalled = path_of(key_of("acme", 1))
    serve(lambda path: complete_response(path)[:-1] if path == stalled else complete_response(path))
    keys = [key_of(tenant, number) for number in range(20) for tenant in TENANTS]

    bodies = ObjectReader("staging").read([expected(each) for each in keys])

    assert [position for position, each in enumerate(bodies) if each is None] == [2]


def test_a_large_object_is_not_asked_for(serve: Serve) -> None:
    """Whatever a notification says of its size, no buffer of that size is made."""
    server = serve(complete_response)
    small, (key, real) = expected(key_of("acme", 1)), expected(key_of("globex", 2))
    large = (key, ExpectedObject(real.etag, MAX_OBJECT_BYTES + 1))

    assert ObjectReader("staging").read([small, large]) == [body_of(path_of(small[0])), None]
    assert server.requests == 1


def test_without_a_server_nothing_is_read(serve: Serve) -> None:
    serve(complete_response).close()
    assert ObjectReader("staging").read([expected(key_of("acme", 1))]) == [None]
    assert ObjectReader("staging").read([]) == []


def test_a_request_is_signed_as_botocore_signs_it(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(complete_response)
    key = key_of("acme", 1)
    ObjectReader("staging").read([expected(key)])
    lines = server.heads[0].decode().split("\r\n")
    sent = dict(line.split(": ", 1) for line in lines[1:] if line)

    moment = datetime.strptime(sent["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
    theirs = AWSRequest(
        "GET",
        f"http://localhost:{server.port}{path_of(key)}",
        headers={"x-amz-content-sha256": NO_BODY_HASH},
    )
    credentials = Credentials("AKIDEXAMPLE", ENVIRONMENT["AWS_SECRET_ACCESS_KEY"], "session+token/==")
    botocore.auth.S3SigV4Auth(credentials, "s3", "eu-central-1").add_auth(theirs)

    assert lines[0] == f"GET {path_of(key)} HTTP/1.1"
    assert sent["authorization"] == theirs.headers["Authorization"]
    assert sent["x-amz-security-token"] == "session+token/=="


def test_unusual_characters_of_a_path_are_signed_as_botocore_signs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment = datetime(2026, 11, 30, tzinfo=UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
    path = "/staging/a%3Db/%C3%A4%20%2B~_.-"
    theirs = AWSRequest("GET", f"http://s3{path}", headers={"x-amz-content-sha256": NO_BODY_HASH})
    credentials = Credentials("AKIDEXAMPLE", ENVIRONMENT["AWS_SECRET_ACCESS_KEY"], "session+token/==")
    botocore.auth.S3SigV4Auth(credentials, "s3", "eu-central-1").add_auth(theirs)

    headers = {"host": "s3", "x-amz-content-sha256": NO_BODY_HASH}
    ours = Signer("s3", headers, ENVIRONMENT, moment).authorization("GET", path)
    assert ours == theirs.headers["Authorization"]


@pytest.mark.parametrize("is_trusted", [True, False])
def test_only_a_trusted_certificate_is_accepted(
    serve: Serve, is_trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, tls = certified(tmp_path)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    aws_signature.trusted_tls.cache_clear()
    serve(complete_response, tls, pieces=3)
    keys = [key_of(tenant, number) for number in range(20) for tenant in TENANTS]

    bodies = ObjectReader("staging").read([expected(each) for each in keys])
    aws_signature.trusted_tls.cache_clear()

    assert bodies == [body_of(path_of(each)) if is_trusted else None for each in keys]


def certified(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that signs itself, and a server's TLS with it."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder: Any = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
    signed = (
        builder.not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    return certificate, tls
