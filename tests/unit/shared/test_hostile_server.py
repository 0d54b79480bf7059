"""The tests' own server: what a client leaves unfinished costs nothing afterwards."""

import socket
import threading

import pytest

from tests.unit.shared.hostile_server import answering, http

PATIENT_SECONDS = 10


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n", http("Content-Length: 100") + b"a part of it"])
def test_the_thread_of_a_client_that_hangs_up_within_its_request_ends(sent: bytes) -> None:
    before = set(threading.enumerate())
    with (
        answering(lambda _: [http()]) as server,
        socket.create_connection(("127.0.0.1", server.port), PATIENT_SECONDS) as client,
    ):
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b"", "the server hangs up, too"
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENT_SECONDS)
        assert not thread.is_alive()


def test_a_request_is_answered_when_all_of_it_is_there() -> None:
    head = b"PUT / HTTP/1.1\r\nContent-Length: 4\r\n"
    with (
        answering(lambda _: [b"answer"]) as server,
        socket.create_connection(("127.0.0.1", server.port), PATIENT_SECONDS) as client,
    ):
        client.sendall(head + b"\r\nab")
        client.sendall(b"cd")
        assert client.recv(100) == b"answer"
    assert server.asked == [head.removesuffix(b"\r\n")]
