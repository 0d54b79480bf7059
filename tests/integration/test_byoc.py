"""A customer's own cloud through the whole stack: a bucket, credentials and a database that are not ours."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.holdings import everything, found_in
from tests.integration.sending import at_once, batch, drain, ids, new_run
from tests.integration.stack import RunningStack, bearer, wait_until

SAMPLES, CONNECTIONS, EVENTS = 30, 5, 5
SEEN_AT_MOST = 1.2


@pytest.fixture(scope="module")
def client(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.client() as connected:
        yield connected


def stored(stack: RunningStack, run: str) -> list[str]:
    found = stack.rows(
        "SELECT JSONExtractString(metadata, 'event_id') AS event_id FROM {database:Identifier}.events "
        "WHERE JSONExtractString(metadata, 'run') = {run:String}",
        run=run,
        database=stack.byoc_database,
    )
    return [row["event_id"] for row in found]


def test_logs_land_exactly_once_in_the_customers_own_cloud_and_nowhere_else(stack: RunningStack) -> None:
    run = new_run()
    batches = [batch(run, f"b{number}", 50) for number in range(40)]

    def send(client: httpx.Client, events: list[dict[str, Any]]) -> None:
        """Each twice under one Idempotency-Key, as after an answer that was lost."""
        for _ in range(2):
            key = events[0]["metadata"]["event_id"]
            answer = drain(client, stack.byoc_keys["ingest"], events, idempotency_key=f"{run}-{key}")
            assert answer.status_code == 202, answer.text

    at_once(stack, 4, batches, send)
    wait_until(lambda: len(stored(stack, run)) >= 2000, 60, "the customer's rows are there")
    stack.wait_until_settled()

    assert sorted(stored(stack, run)) == sorted(name for events in batches for name in ids(events))
    assert found_in(stack, [run]) == []


def test_the_scan_that_finds_nothing_of_theirs_finds_what_is_ours(
    stack: RunningStack, client: httpx.Client
) -> None:
    run = new_run()
    sent = drain(client, stack.keys["ingest"], batch(run, "ours", 3), wait=True, idempotency_key=run)
    assert sent.status_code == 200

    assert {place.split(":")[0] for place in found_in(stack, [run])} >= {"rows"}
    assert {place.split(" ")[0] for place, _ in everything(stack)} >= {"table", "bucket", "log", "rows"}


def test_a_customer_searches_their_own_clickhouse_and_others_do_not(
    stack: RunningStack, client: httpx.Client
) -> None:
    run = new_run()
    assert drain(client, stack.byoc_keys["ingest"], batch(run, "own", 5), wait=True).status_code == 200
    question = {"where": [{"field": "metadata.run", "op": "eq", "value": run}]}
    found = {
        owner: client.post("/v1/search", json=question, headers=bearer(key)).json()["events"]
        for owner, key in (("initech", stack.byoc_keys["read"]), ("acme", stack.keys["read"]))
    }

    assert (len(found["initech"]), found["acme"]) == (5, [])


class Wire:
    """A TCP relay to ClickHouse that can be cut: what is at its port is then not reachable."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            _shut(each)
        self._open.clear()

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._to)
                self._open += (near, far)
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=_relay, args=(source, target), daemon=True).start()


def _relay(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    _shut(source)
    _shut(target)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def reached_over_a_wire(stack: RunningStack, client: httpx.Client) -> Iterator[Wire]:
    """The customer's ClickHouse behind a relay, for the length of the block; then as it was."""
    at = urlsplit(stack.clickhouse)
    assert at.hostname
    assert at.port
    wire = Wire((at.hostname, at.port))
    try:
        _put(client, stack, wire.port)
        yield wire
    finally:
        _put(client, stack, at.port)


def _put(client: httpx.Client, stack: RunningStack, port: int) -> None:
    destination = json.loads(json.dumps(stack.byoc_destination))
    destination["clickhouse"]["port"] = port
    answer = client.put("/v1/destination", json=destination, headers=bearer(stack.byoc_keys["admin"]))
    assert answer.status_code == 200, answer.text


def test_a_customer_whose_clickhouse_is_away_delays_nobody_and_loses_nothing(
    stack: RunningStack, client: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    run = new_run()
    with reached_over_a_wire(stack, client) as wire:
        before = _both_send(stack, f"before-{run}", run)
        wire.cut()
        during = _both_send(stack, f"during-{run}", run)
        waiting = len(stored(stack, run))
        wire.mend()
        wait_until(lambda: len(stored(stack, run)) >= 2 * SAMPLES * EVENTS, 120, "what waited is loaded")
    assert waiting <= SAMPLES * EVENTS
    assert sorted(stored(stack, run)) == sorted(
        name
        for phase in ("before", "during")
        for number in range(SAMPLES)
        for name in ids(batch(run, f"{phase}-{run}-{number}", EVENTS))
    )
    quiet, beside = _p95(before), _p95(during)
    with capsys.disabled():
        print(f"\nanother tenant's p95 to searchable: {quiet:.2f} s before, {beside:.2f} s beside an outage")
    assert beside / quiet <= SEEN_AT_MOST


def _both_send(stack: RunningStack, phase: str, run: str) -> list[float]:
    """The BYOC customer sends beside a Managed tenant; how long each event of the latter took to be found."""

    def send(client: httpx.Client, number: int) -> float:
        own = drain(client, stack.byoc_keys["ingest"], batch(run, f"{phase}-{number}", EVENTS))
        assert own.status_code == 202
        return _seconds_until_searchable(stack, client, f"{phase} {number} of many")

    return at_once(stack, CONNECTIONS, range(SAMPLES), send)


def _seconds_until_searchable(stack: RunningStack, client: httpx.Client, message: str) -> float:
    """From the 202 of a Managed tenant's event to the first search that finds it."""
    assert drain(client, stack.keys["ingest"], [{"message": message}]).status_code == 202
    accepted = time.monotonic()

    def found() -> bool:
        answer = client.post("/v1/search", json={"q": f'"{message}"'}, headers=bearer(stack.keys["read"]))
        return bool(answer.json()["events"])

    wait_until(found, 30, "it is found")
    return time.monotonic() - accepted


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1]
