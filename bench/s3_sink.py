"""An S3 that accepts every PUT and stores nothing, in a separate process: only the sender's CPU remains."""

import re
import socket
import threading
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection

from bench.s3_process import s3_process

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ANSWER = b'HTTP/1.1 200 OK\r\nETag: "d41d8cd98f00b204e9800998ecf8427e"\r\nContent-Length: 0\r\n\r\n'
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def sink() -> AbstractContextManager[str]:
    """Serve on loopback until the block ends; yields the endpoint's URL."""
    return s3_process(_serve)


def _serve(parent: Connection) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        parent.send(server.getsockname()[1])
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_answer_all, args=(connection,), daemon=True).start()


def _answer_all(connection: socket.socket) -> None:
    """Answer the requests of one connection in order, until the sender closes it."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    received = b""
    while True:
        while b"\r\n\r\n" not in received:
            piece = connection.recv(1 << 20)
            if not piece:
                return
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        left = (int(length[1]) if length else 0) - len(body)
        if b"100-continue" in head.lower():
            connection.sendall(_CONTINUE)
        while left > 0:
            piece = connection.recv(1 << 20)
            if not piece:
                return
            left -= len(piece)
        connection.sendall(_ANSWER)
        received = b""
