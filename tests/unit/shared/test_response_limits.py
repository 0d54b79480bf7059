"""Answers that never end, drip, promise too much or unfold: what they may cost is bounded."""

import gzip
import json
import re
import socket
import time
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import lz4.frame
import pytest
from backports import zstd
from botocore.exceptions import BotoCoreError

from functions.shared.buckets.contract import (
    BucketRefusedError,
    BucketUnavailableError,
    ExpectedObject,
    ObjectChangedError,
)
from functions.shared.buckets.customer import CustomerBucket
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.egress import botocore_session
from functions.shared.egress.egress_filter import EgressFilter
from functions.shared.egress.pools import pool_manager
from functions.shared.egress.response_limits import AnswerTooLongError, MeteredSocket, ResponseMeter, bounded
from functions.shared.egress.s3 import Timeouts, filtered_s3_client
from functions.shared.secret_text import SecretText
from functions.shared.warehouse import (
    LongResultError,
    OutcomeUnknownError,
    TooLongAnswerError,
    UnusableAnswerError,
    Warehouse,
    WarehouseRefusedError,
)
from tests.unit.shared.hostile_server import (
    Hostile,
    answering,
    costs_at_most,
    dripping,
    endless,
    http,
    lasts_at_most,
    silent,
    works_at_most,
)
from tests.unit.shared.loopback import LOOPBACK, Names, certified

NAME = "db.customer.example"
PATIENT_SECONDS = 30
"""A time limit that is not what ends an answer, on a busy machine either."""

MEBIBYTE = 1024 * 1024
CAP = 2 * MEBIBYTE
ZEROS = bytes(65_536)
CHUNKED = http("Transfer-Encoding: chunked")

ENDLESS = {
    "a body without end": lambda: endless(http(), ZEROS),
    "a body of ten gigabytes": lambda: endless(http("Content-Length: 10000000000"), ZEROS),
    "chunks without end": lambda: endless(CHUNKED, b"10000\r\n" + ZEROS + b"\r\n"),
    "chunks of two bytes": lambda: endless(CHUNKED, b"2\r\nxy\r\n" * 4096),
    "a chunk of ten gigabytes": lambda: endless(CHUNKED + b"2540BE400\r\n", ZEROS),
    "trailers without end": lambda: endless(CHUNKED + b"0\r\n", b"a: b\r\n" * 4096),
    "headers without end": lambda: endless(b"HTTP/1.1 200 OK\r\n", b"x-a: " + b"b" * 60_000 + b"\r\n"),
    "continue, without end": lambda: endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2048),
    "an error without end": lambda: endless(http(status="500 No"), ZEROS),
    "an error with a code, without end": lambda: endless(
        http("X-ClickHouse-Exception-Code: 27", status="500 No"), ZEROS
    ),
}

GARBLED = {
    "a chunk size without end": lambda: endless(CHUNKED, b"0" * 65_536),
    "a status line without end": lambda: endless(b"HTTP/1.1 200 ", b"x" * 65_536),
}
"""Of which Python's own client takes offence first."""


@cache
def bomb(encoding: str) -> bytes:
    """200 MB of zeros, packed."""
    zeros = bytes(200 * MEBIBYTE)
    match encoding:
        case "gzip":
            return gzip.compress(zeros, 1)
        case "zstd":
            return zstd.compress(zeros, 1)
        case "lz4":
            return lz4.frame.compress(zeros)
        case _:
            return zlib.compress(zeros, 1)


def warehouse(server: Hostile, timeout_seconds: int = 3, **settings: Any) -> Warehouse:
    """With a client that has been answered at its start, as ClickHouse does."""
    manager = pool_manager(
        EgressFilter(allow_loopback=True, resolve=Names(LOOPBACK)), max_answer_bytes=CAP, **settings
    )
    address = ClickHouseAddress(
        NAME, server.port, "ca_certs" in settings, "acme", SecretText("word"), "default"
    )
    return Warehouse(address, timeout_seconds, manager)


def run_statement(how: str, of: Warehouse) -> None:
    match how:
        case "insert":
            of.insert("INSERT INTO events FORMAT JSONEachRow", b"x" * 100_000, {})
        case "command":
            of.command("ALTER TABLE events DELETE WHERE 1")
        case _:
            of.select("SELECT 1")


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client asks for version and settings when it is made: here each statement is the first."""
    monkeypatch.setattr(
        "clickhouse_connect.driver._backendclient.SyncBackendClient._init_common_settings",
        lambda *_: None,
        raising=False,
    )
    monkeypatch.setattr(
        "clickhouse_connect.driver.httpclient.HttpClient._init_common_settings", lambda *_: None
    )


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("how", ["insert", "select"])
@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_costs_little_memory_and_time(answer: Any, how: str) -> None:
    with answering(lambda _: answer()) as server, works_at_most(28, 5):
        with pytest.raises(LongResultError if how == "select" else TooLongAnswerError) as refused:
            run_statement(how, warehouse(server, PATIENT_SECONDS))
        assert isinstance(refused.value, WarehouseRefusedError if how == "select" else OutcomeUnknownError)
    assert len(server.asked) == 1, "nothing is asked twice"
    assert server.sent_bytes < 32 * MEBIBYTE, "most of it was never fetched"


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("answer", GARBLED.values(), ids=GARBLED)
def test_a_line_without_end_is_an_answer_that_is_lost(answer: Any) -> None:
    with (
        answering(lambda _: answer()) as server,
        costs_at_most(8, 3),
        pytest.raises(OutcomeUnknownError),
    ):
        run_statement("insert", warehouse(server))


@pytest.mark.parametrize("answer", list(ENDLESS.values())[:3])
def test_neither_is_the_client_made_by_an_answer_without_end(answer: Any) -> None:
    with (
        answering(lambda _: answer()) as server,
        works_at_most(28, 5),
        pytest.raises(UnusableAnswerError),
    ):
        warehouse(server, PATIENT_SECONDS).command("SELECT 1")


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("how", ["command", "select"])
@pytest.mark.parametrize(
    ("encoding", "status"),
    [*((each, "200 OK") for each in ("gzip", "zstd", "lz4", "deflate", "x-gzip", "identity, GZIP", "br"))]
    + [(each, "500 No") for each in ("gzip", "zstd", "lz4")],
)
def test_a_bomb_is_not_unfolded(encoding: str, status: str, how: str) -> None:
    body = bomb(encoding.lower().split(", ")[-1])
    head = http(f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}", status=status)
    with (
        answering(lambda _: [head, body]) as server,
        costs_at_most(8, 5),
        pytest.raises(UnusableAnswerError),
    ):
        run_statement(how, warehouse(server))


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("how", ["insert", "select"])
@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n", http(), CHUNKED, http("Content-Length: 9000")], ids=["head", *"123"]
)
def test_an_answer_that_drips_ends_with_the_statements_time(head: bytes, how: str) -> None:
    piece = b"1\r\nx\r\n" if head is CHUNKED else b"x"
    with answering(lambda _: dripping(head, piece)) as server, costs_at_most(8, 2):
        with pytest.raises(OutcomeUnknownError) as late:
            run_statement(how, warehouse(server, timeout_seconds=1))
        assert not isinstance(late.value, UnusableAnswerError)


def test_the_time_of_a_statement_is_that_of_all_its_requests() -> None:
    """Each of those that the client makes at its start would be in time by itself."""

    def slowly(_head: bytes) -> Iterator[bytes]:
        return iter([*dripping_for(0.7), http("Content-Length: 2"), b"1\n"])

    with (
        answering(slowly) as server,
        costs_at_most(8, 2.5),
        pytest.raises(OutcomeUnknownError),
    ):
        warehouse(server, timeout_seconds=1).command("SELECT 1")


def dripping_for(seconds: float) -> Iterator[bytes]:
    time.sleep(seconds)
    yield b""


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("how", ["insert", "select"])
def test_the_same_over_tls(how: str, tmp_path: Path) -> None:
    certificate = certified(NAME, tmp_path)
    trusting = {"ca_certs": certificate.roots}
    with (
        answering(lambda _: endless(http(), ZEROS), certificate.context) as server,
        works_at_most(28, 5),
        pytest.raises(LongResultError if how == "select" else TooLongAnswerError),
    ):
        run_statement(how, warehouse(server, PATIENT_SECONDS, **trusting))
    with (
        answering(lambda _: dripping(http()), certificate.context) as server,
        costs_at_most(8, 2),
        pytest.raises(OutcomeUnknownError),
    ):
        run_statement(how, warehouse(server, timeout_seconds=1, **trusting))


@pytest.mark.usefixtures("connected")
def test_a_result_as_long_as_it_may_be_is_read_and_one_that_is_longer_is_not() -> None:
    empty = {"data": [{"x": ""}], "statistics": {"rows_read": 1, "elapsed": 0.0}}
    for more, found in ((0, True), (16_384, False)):
        room = CAP - len(json.dumps(empty)) + more
        body = json.dumps({**empty, "data": [{"x": "y" * room}]}).encode()
        with answering(lambda _, body=body: [http(f"Content-Length: {len(body)}"), body]) as server:  # type: ignore[misc]
            if found:
                assert len(warehouse(server).select("SELECT 1").rows[0]["x"]) == room
            else:
                with pytest.raises(LongResultError):
                    warehouse(server).select("SELECT 1")


def test_bounds_within_bounds_are_never_wider_and_end_with_their_block() -> None:
    with answering(lambda _: [http(f"Content-Length: {len(ZEROS)}"), ZEROS]) as server:
        manager = pool_manager(EgressFilter(allow_loopback=True, resolve=Names(LOOPBACK)))
        url = f"http://{NAME}:{server.port}/"
        with bounded(100, 5), bounded(10**9, 500), pytest.raises(AnswerTooLongError):
            manager.request("GET", url)
        assert len(manager.request("GET", url).data) == len(ZEROS)


def test_a_request_on_a_kept_connection_has_its_own_time_and_not_what_an_earlier_one_had_left() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.settimeout(5)
        with bounded(100, 0.2):
            metered = MeteredSocket(one, ResponseMeter(100, plain=True))
            metered.sendall(b"first")
        metered.meter = ResponseMeter(100, plain=True)
        metered.sendall(b"second")
        assert one.gettimeout() == 5


def test_nothing_is_retried_after_the_callers_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore sleeps before each retry."""
    sleeps = list[float]()
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=sleeps.append))
    with answering(lambda _: silent(2)) as server:
        theirs = bucket(server)
        with bounded(100, 0.3), pytest.raises(BucketUnavailableError, match="TimeoutError"):
            theirs.etag_of("k")
        assert len(server.asked) == 1
        assert sleeps == []


def test_a_tls_handshake_has_what_the_connection_left_of_the_time() -> None:
    """The name is found after 0.6 s; what listens there accepts, and says nothing.

    A handshake with a time of its own would end after 2.6 s.
    """

    def resolve(*_: Any, **__: Any) -> Any:
        time.sleep(0.6)
        return Names(LOOPBACK)(NAME, 443)

    guard = EgressFilter(allow_loopback=True, resolve=resolve)
    with socket.create_server((LOOPBACK, 0)) as listening:
        endpoint = f"https://{NAME}:{listening.getsockname()[1]}"
        secret = SecretText("x")
        s3 = filtered_s3_client(guard, "us-east-1", endpoint, secret, secret, Timeouts(2, 5))
        with lasts_at_most(2.0), bounded(100, 1.0), pytest.raises(BucketUnavailableError):
            CustomerBucket(s3, "logs").etag_of("k")


def bucket(server: Hostile, read_seconds: float = 1) -> CustomerBucket:
    client = filtered_s3_client(
        EgressFilter(allow_loopback=True, resolve=Names(LOOPBACK)),
        "eu-central-1",
        f"http://s3.customer.example:{server.port}",
        SecretText("id"),
        SecretText("secret"),
        Timeouts(0.5, read_seconds),
    )
    return CustomerBucket(client, "logs")


BUCKET_CALLS = {
    "get": lambda of: of.get("x"),
    "under": lambda of: list(of.under("")),
    "create": lambda of: of.create("x", b"body"),
    "delete": lambda of: of.delete(["x"]),
}


@pytest.mark.parametrize(
    ("answer", "call"),
    [*((answer, "under") for answer in ENDLESS.values())]
    + [(ENDLESS["a body without end"], call) for call in ("create", "delete")],
)
def test_what_a_bucket_answers_without_end_costs_little(answer: Any, call: str) -> None:
    with answering(lambda _: answer()) as server, works_at_most(40, 8):
        with pytest.raises(BucketRefusedError) as refused:
            BUCKET_CALLS[call](bucket(server, PATIENT_SECONDS))
        assert refused.value.reason == "AnswerTooLongError"


@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
def test_neither_does_an_object_that_is_none(answer: Any) -> None:
    with (
        answering(lambda _: answer()) as server,
        costs_at_most(20, 8),
        pytest.raises((BucketRefusedError, BucketUnavailableError)),
    ):
        bucket(server, 4).get("x")


@pytest.mark.parametrize("call", ["get", "under"])
def test_a_bucket_that_drips_ends_in_a_timeout(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore_session, "OBJECT_SECONDS", 0.5)
    head = http('ETag: "e"', "Content-Length: 9000")
    with (
        answering(lambda _: dripping(head)) as server,
        costs_at_most(20, 10),
        pytest.raises(BucketUnavailableError),
    ):
        BUCKET_CALLS[call](bucket(server, 0.2))


@pytest.mark.parametrize("size", [1_001, 128 * MEBIBYTE])
def test_an_object_that_is_larger_than_listed_is_not_fetched(size: int) -> None:
    head = http('ETag: "e"', f"Content-Length: {size}")
    with (
        answering(lambda _: endless(head, ZEROS)) as server,
        costs_at_most(20, 5),
        pytest.raises(ObjectChangedError),
    ):
        bucket(server).get("x", ExpectedObject("e", 1_000))
    assert len(server.asked) == 1


@pytest.mark.parametrize("honours", [True, False])
def test_another_object_in_its_place_is_not_fetched(honours: bool) -> None:
    """Whether the service honours the condition or ignores it."""

    def script(head: bytes) -> Any:
        assert re.search(rb'if-match: "e"', head, re.IGNORECASE)
        if honours:
            return [http("Content-Length: 0", status="412 Precondition Failed")]
        return endless(http('ETag: "other"', "Content-Length: 100000000"), ZEROS)

    with (
        answering(script) as server,
        costs_at_most(20, 5),
        pytest.raises(ObjectChangedError),
    ):
        bucket(server).get("x", ExpectedObject("e", 10**8))


def test_a_listed_object_is_fetched() -> None:
    with answering(lambda _: [http('ETag: "e"', "Content-Length: 4"), b"body"]) as server:
        found = bucket(server).get("x", ExpectedObject("e", 4))
        assert found is not None
        assert (found.body, found.etag) == (b"body", "e")


def test_a_streamed_body_that_is_read_later_is_bounded_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore_session, "OBJECT_SECONDS", 0.5)
    with answering(lambda _: dripping(http('ETag: "e"', "Content-Length: 9000"))) as server:
        body = bucket(server)._client.get_object(Bucket="logs", Key="x")["Body"]
        with costs_at_most(8, 2), pytest.raises(BotoCoreError):
            body.read()
