"""The connection: certificates are checked, a proxy is used, and a broken body changes nothing."""

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from astralog._settings import ApiKey, Endpoint
from astralog._transport import FAILURES, MAX_RESPONSE_BYTES, Response, Transport
from tests.unit.client_python.service import KEY, DrainService, drain_service

LINE = b'{"message":"one"}\n'


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of localhost and its private key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "localhost.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


@contextmanager
def secure_service(certificate: Path) -> Iterator[DrainService]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with drain_service() as service:
        service.socket = context.wrap_socket(service.socket, server_side=True)
        yield service


def transport_to(service: DrainService, trusted: Path | None = None, timeout: float = 10) -> Transport:
    context = ssl.create_default_context(cafile=str(trusted)) if trusted else None
    secure = isinstance(service.socket, ssl.SSLSocket)
    host = "localhost" if secure else "127.0.0.1"
    return Transport(Endpoint(secure, host, service.server_port, "/v1/drain"), ApiKey(KEY), timeout, context)


def test_a_trusted_certificate_is_accepted_and_another_is_not(certificate: Path) -> None:
    with secure_service(certificate) as service:
        trusting = transport_to(service, certificate)
        assert trusting.post(LINE, None, "1").status == 202
        trusting.close()
        with pytest.raises(ssl.SSLCertVerificationError) as raised:
            transport_to(service).post(LINE, None, "2")
    assert isinstance(raised.value, FAILURES)
    assert service.messages == ["one"]


@pytest.mark.parametrize("exempt", [False, True])
def test_https_goes_through_the_proxy_of_the_environment(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, exempt: bool
) -> None:
    with secure_service(certificate) as service, connect_proxy() as (address, requests):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass%21@{address}")
        if exempt:
            monkeypatch.setenv("NO_PROXY", "localhost")
        transport = transport_to(service, certificate)
        assert transport.post(LINE, None, "1").status == 202
        transport.close()
    if exempt:
        assert requests == []
    else:
        (head,) = requests
        assert head.startswith(f"CONNECT localhost:{service.server_port} ".encode())
        assert b"Proxy-Authorization: Basic dXNlcjpwYXNzIQ==" in head
        assert KEY.encode() not in head


@pytest.mark.parametrize(
    ("answer", "document"),
    [
        (b"Content-Length: 14\r\n\r\n" + b'{"rejected":1}', {"rejected": 1}),
        (b"Content-Length: 99\r\n\r\n" + b'{"rejected":', {}),
        (b"Content-Length: 9999999\r\n\r\n" + b" " * (MAX_RESPONSE_BYTES + 70_000), {}),
        (b"Content-Length: 2\r\n\r\n[]", {}),
        (b"Content-Length: 5\r\n\r\n" + b"\xff" * 5, {}),
        (b"Content-Length: 60000\r\n\r\n" + b"[" * 60_000, {}),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", {}),
    ],
    ids=["good", "cut", "too large", "no object", "no text", "too deep", "no chunks"],
)
def test_the_status_counts_whatever_the_body_is(answer: bytes, document: dict[str, int]) -> None:
    with one_answer(b"HTTP/1.1 202 Accepted\r\n" + answer) as port:
        transport = Transport(Endpoint(False, "127.0.0.1", port, "/v1/drain"), ApiKey(KEY), 5, None)
        found = transport.post(LINE, None, "1")
        kept = transport._connection is not None
        transport.close()
    assert found == Response(202, None, document)
    if len(answer) > MAX_RESPONSE_BYTES:
        assert not kept, "what is not read would be the next response"


def test_a_connection_that_was_idle_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with drain_service() as service:
        transport = transport_to(service)
        for number in range(3):
            transport.post(LINE, None, str(number))
        assert len(service.connections) == 1
        monkeypatch.setattr("astralog._transport.MAX_IDLE_SECONDS", -1)
        transport.post(LINE, None, "4")
        transport.close()
        assert len(service.connections) == 2


@contextmanager
def one_answer(answer: bytes) -> Iterator[int]:
    """A port on which the first request gets these bytes, and then the end."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                try:
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65_536):
                        pass
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@contextmanager
def connect_proxy() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy for one connection: its address, and the requests that it got."""
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(2)

        def serve() -> None:
            try:
                connection, _ = server.accept()
            except TimeoutError:
                return
            with connection:
                requests.append(connection.recv(65_536))
                port = int(requests[0].split(b" ")[1].rpartition(b":")[2])
                with socket.create_connection(("127.0.0.1", port)) as behind:
                    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    _relay(connection, behind)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", requests
        thread.join()


def _relay(left: socket.socket, right: socket.socket) -> None:
    other = {left: right, right: left}
    while True:
        for ready in select.select([left, right], [], [], 10)[0]:
            data = ready.recv(65_536)
            if not data:
                return
            other[ready].sendall(data)
