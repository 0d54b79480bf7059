"""A server on loopback that answers with whatever bytes a test likes, for as long as a client reads."""

import socket
import ssl
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread

Script = Callable[[bytes], Iterable[bytes]]
"""From the head of a request to the pieces of its answer, which may never end."""


@dataclass
class Hostile:
    port: int
    asked: list[bytes] = field(default_factory=list)
    sent_bytes: int = 0


@contextmanager
def answering(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Hostile]:
    """Each request, on a connection of its own, is answered as `script` says."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Hostile(listening.getsockname()[1])

        def answer(peer: socket.socket) -> None:
            with suppress(OSError), tls.wrap_socket(peer, server_side=True) if tls else peer as wire:
                head = _head(wire)
                server.asked.append(head)
                for piece in script(head):
                    wire.sendall(piece)
                    server.sent_bytes += len(piece)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    Thread(target=answer, args=(listening.accept()[0],), daemon=True).start()

        Thread(target=accept, daemon=True).start()
        yield server
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def _head(wire: socket.socket) -> bytes:
    """The request's head; its body is read too, should it say how long it is."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += _received(wire)
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0
    )
    while len(body) < length:
        body += _received(wire)
    return head


def _received(wire: socket.socket) -> bytes:
    """The next bytes of a request.

    Raises
    ------
    ConnectionError: the client hung up. A thread that read on would take a core for the rest of the run.
    """
    piece = wire.recv(65_536)
    if not piece:
        raise ConnectionError
    return piece


def http(*headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def endless(head: bytes, piece: bytes) -> Iterator[bytes]:
    yield head
    while True:
        yield piece


def dripping(head: bytes, piece: bytes = b"x", seconds: float = 0.05) -> Iterator[bytes]:
    for each in [head] + [piece] * 10_000:
        yield each
        time.sleep(seconds)


def silent(seconds: float = 20) -> Iterator[bytes]:
    """Nothing, for so long. The other side has hung up by then, which silence does not notice."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        time.sleep(0.1)
        yield b""


@contextmanager
def costs_at_most(megabytes: float, seconds: float) -> Iterator[None]:
    """Fails when the block holds more memory at any time, or lasts longer."""
    with lasts_at_most(seconds), holds_at_most(megabytes):
        yield


@contextmanager
def works_at_most(megabytes: float, seconds: float) -> Iterator[None]:
    """Fails when the block holds more memory at any time, or takes more CPU time of its thread.

    For answers that arrive as fast as they are read: how long they last depends on the machine.
    """
    began = time.thread_time()
    with holds_at_most(megabytes):
        yield
    taken = time.thread_time() - began
    assert taken < seconds, f"{taken:.1f} s of CPU"


BUSY_SECONDS = 5
"""What a busy machine may add. Without a bound these servers would hold a call for 20 s and more."""


@contextmanager
def lasts_at_most(seconds: float) -> Iterator[None]:
    """Fails when the block lasts longer by more than BUSY_SECONDS."""
    began = time.monotonic()
    yield
    taken = time.monotonic() - began
    assert taken < seconds + BUSY_SECONDS, f"{taken:.1f} s"


@contextmanager
def holds_at_most(megabytes: float) -> Iterator[None]:
    """Counting slows down what makes many small objects, seven times."""
    tracemalloc.start()
    try:
        yield
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < megabytes * 1024 * 1024, f"{peak / 1024 / 1024:.1f} MB"
