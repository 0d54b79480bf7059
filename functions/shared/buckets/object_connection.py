"""A kept connection to S3 that receives one kind of response: the expected object, whole.

Anything else is an UnusableResponseError, so this is no general HTTP client, and need not be one.
"""

import re
import socket
import ssl
from select import POLLIN, poll
from urllib.parse import SplitResult

from functions.shared.aws_signature import trusted_tls
from functions.shared.buckets.contract import ExpectedObject

CONNECT_SECONDS = 2.0

MAX_HEAD_BYTES = 8192

_HEAD_END = b"\r\n\r\n"
_OK = re.compile(rb"HTTP/1\.[01] 200 ")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*(?=\r\n)", re.IGNORECASE)
_ETAG = re.compile(rb'\r\netag:[ \t]*"([^"\r\n]*)"[ \t]*(?=\r\n)', re.IGNORECASE)
_OTHER_FRAMING = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_LAST = re.compile(rb"HTTP/1\.0|[^\0]*\r\nconnection:[ \t]*close[ \t]*\r\n", re.IGNORECASE)


class UnusableResponseError(OSError):
    """Not the whole expected object: what follows on the connection cannot be trusted."""


class ObjectConnection:
    """A connection to `address`, opened at once; it receives one object at a time.

    `open`, `ask` and `receive` raise OSError: the connection cannot be used again.

    Attributes
    ----------
    position: the caller's number of the object that was asked for last.
    """

    def __init__(self, address: SplitResult) -> None:
        self._address = address
        self._buffer = memoryview(bytearray(MAX_HEAD_BYTES))
        self.position = 0
        self.open()

    def open(self) -> None:
        """Connect, within CONNECT_SECONDS."""
        host, is_tls = self._address.hostname or "", self._address.scheme == "https"
        port = self._address.port or (443 if is_tls else 80)
        plain = socket.create_connection((host, port), CONNECT_SECONDS)
        try:
            self.socket = trusted_tls().wrap_socket(plain, server_hostname=host) if is_tls else plain
        except OSError:
            plain.close()
            raise
        self.socket.setblocking(False)
        self.is_last = False

    def close(self) -> None:
        self.socket.close()

    def is_open(self) -> bool:
        """Whether S3 keeps the connection: between two requests it sends nothing but the end."""
        waiting = poll()
        waiting.register(self.socket, POLLIN)
        return not waiting.poll(0)

    def ask(self, position: int, request: bytes, expected: ExpectedObject) -> None:
        """Send `request`, whose response is to be the object `expected`."""
        self.position, self._expected = position, expected
        room = MAX_HEAD_BYTES + expected.size_bytes  # a longer response does not fit
        if len(self._buffer) < room:
            self._buffer = memoryview(bytearray(room))
        self._received = self._begin = self._end = 0
        if self.socket.send(request) != len(request):
            raise UnusableResponseError("the request does not fit into the buffer of a new connection")

    def receive(self) -> bool:
        """Receive what has arrived; whether the response is complete."""
        self._receive_once()
        # TLS decrypts whole records; what is left of one gives no sign at the socket.
        while isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            self._receive_once()
        if self._received > self._end > 0:
            raise UnusableResponseError("more than one response")
        return self._received == self._end > 0

    def body(self) -> bytes:
        """The object of a complete response."""
        return bytes(self._buffer[self._begin : self._end])

    def _receive_once(self) -> None:
        try:
            received = self.socket.recv_into(self._buffer[self._received :])
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        if not received:
            raise UnusableResponseError("the response ended early, or is too long")
        self._received += received
        if not self._end:
            self._read_head()

    def _read_head(self) -> None:
        """Once the head is complete: where the body begins and ends."""
        head, end, _ = bytes(self._buffer[: min(self._received, MAX_HEAD_BYTES)]).partition(_HEAD_END)
        if not end:
            return
        head += b"\r\n"
        lengths, etags = _LENGTH.findall(head), _ETAG.findall(head)
        is_expected = (
            _OK.match(head)
            and not _OTHER_FRAMING.search(head)
            and lengths == [str(self._expected.size_bytes).encode()]
            and etags == [self._expected.etag.encode()]
        )
        if not is_expected:
            raise UnusableResponseError("not the expected object")
        self.is_last = bool(_LAST.match(head))
        self._begin = len(head) + 2
        self._end = self._begin + self._expected.size_bytes
