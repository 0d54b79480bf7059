"""BYOC through the whole stack: a bucket, credentials and a database that are not ours."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from functions.accounts.directory import Directory
from functions.accounts.keys import generate
from local.naming import physical
from local.seed import seed
from tests.integration.data_inventory import everything, found_in
from tests.integration.sending import at_once, batch, drain, ids, new_run
from tests.integration.stack import RunningStack, bearer, wait_until

SHORT, LONG = 5, 30
"""Requests of each of two tenants before an outage, and as many during it."""

CONNECTIONS, EVENTS, BATCHES = 5, 5, 20
SEEN_AT_MOST = 1.2


@pytest.fixture(scope="module")
def client(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.client() as connected:
        yield connected


def stored(stack: RunningStack, run: str, database: str) -> list[str]:
    rows = stack.rows(
        "SELECT JSONExtractString(metadata, 'event_id') AS event_id FROM {database:Identifier}.events "
        "WHERE JSONExtractString(metadata, 'run') = {run:String}",
        run=run,
        database=database,
    )
    return [row["event_id"] for row in rows]


def test_byoc_logs_land_exactly_once_in_the_customers_stores_and_nowhere_else(stack: RunningStack) -> None:
    run = new_run()
    batches = [batch(run, f"b{number}", 50) for number in range(BATCHES)]

    def send(client: httpx.Client, events: list[dict[str, Any]]) -> None:
        """Each twice under one Idempotency-Key, as after an answer that was lost."""
        for _ in range(2):
            key = events[0]["metadata"]["event_id"]
            answer = drain(client, stack.byoc_keys["ingest"], events, idempotency_key=f"{run}-{key}")
            assert answer.status_code == 202, answer.text

    at_once(stack, 4, batches, send)
    wait_until(
        lambda: len(stored(stack, run, stack.byoc_database)) >= 50 * BATCHES,
        60,
        "the customer's rows are there",
    )
    stack.wait_until_settled()

    assert sorted(stored(stack, run, stack.byoc_database)) == sorted(
        name for events in batches for name in ids(events)
    )
    assert found_in(stack, [run]) == []


def test_the_scan_that_finds_none_of_their_logs_finds_logs_of_managed_tenants(
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
    events = {
        owner: client.post("/v1/search", json=question, headers=bearer(key)).json()["events"]
        for owner, key in (("initech", stack.byoc_keys["read"]), ("acme", stack.keys["read"]))
    }

    assert (len(events["initech"]), events["acme"]) == (5, [])


def test_patterns_and_traces_over_http_are_of_the_callers_own_events_on_both_plans(
    stack: RunningStack, client: httpx.Client
) -> None:
    keys = {"acme": stack.keys, "initech": stack.byoc_keys}
    trace = new_run()
    for owner, key in keys.items():
        events = [
            {"message": f"{owner} sent {number}", "trace_id": trace, "span_id": f"s{number % 2}"}
            for number in range(6)
        ]
        assert drain(client, key["ingest"], events, wait=True).status_code == 200
    for owner, key in keys.items():
        headers = bearer(key["read"])
        found = client.post("/v1/patterns", json={"trace_id": trace, "from": "-1h"}, headers=headers).json()
        (pattern,) = found["patterns"]
        assert (pattern["template"], pattern["count"], pattern["share"]) == (f"{owner} sent <*>", 6, 1.0)
        question = {"query": pattern["query"], "trace_id": trace}
        assert len(client.post("/v1/search", json=question, headers=headers).json()["events"]) == 6
        shown = client.get(f"/v1/traces/{trace}", headers=headers).json()
        assert [each["message"] for each in shown["events"]] == [f"{owner} sent {at}" for at in range(6)]
        assert [(each["span_id"], each["events"]) for each in shown["spans"]] == [("s0", 3), ("s1", 3)]


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


@dataclass
class Customer:
    """One on BYOC whose ClickHouse is reached over a wire; new, so that no function knows another way."""

    key: str
    database: str
    wire: Wire


def new_customer(stack: RunningStack, client: httpx.Client, *, with_role: bool = False) -> Customer:
    at = urlsplit(stack.clickhouse)
    assert at.hostname
    assert at.port
    name = f"c{new_run()[:12]}"
    customer = Customer(generate(), name, Wire((at.hostname, at.port)))
    tables = [physical(table) for table in ("accounts", "keys", "key-lists")]
    seed(Directory(*tables, client=stack.aws("dynamodb")), {name: {"admin": customer.key}}, name)
    stack.aws("s3").create_bucket(Bucket=f"{name}-logs")
    destination = deepcopy(stack.byoc_destination)
    destination["bucket"]["name"] = f"{name}-logs"
    destination["clickhouse"] |= {"port": customer.wire.port, "database": name}
    if with_role:
        arn = new_role(stack, client, customer)
        destination["bucket"] = {"name": f"{name}-logs", "region": "us-east-1", "role_arn": arn}
    answer = client.put("/v1/destination", json=destination, headers=bearer(customer.key))
    assert answer.status_code == 200, answer.text
    return customer


def new_role(stack: RunningStack, client: httpx.Client, customer: Customer) -> str:
    """A role in the customer's account as docs/byoc.md says."""
    setup = client.get("/v1/destination/role", headers=bearer(customer.key)).json()
    made = stack.aws("iam").create_role(
        RoleName=f"{setup['role_name']}-{customer.database}",
        AssumeRolePolicyDocument=json.dumps(setup["trust_policy"]),
    )
    return str(made["Role"]["Arn"])


def test_logs_of_customers_with_roles_land_in_their_own_stores_and_no_role_serves_another(
    stack: RunningStack, client: httpx.Client
) -> None:
    run = new_run()
    customers = [new_customer(stack, client, with_role=True) for _ in range(2)]
    shown = [client.get("/v1/destination", headers=bearer(each.key)).json()["bucket"] for each in customers]
    assert [each["access_key_ends_with"] for each in shown] == [None, None]
    for number, customer in enumerate(customers):
        sent = drain(client, customer.key, batch(run, f"role-{number}", 5), wait=True)
        assert sent.status_code == 200, sent.text
    for number, customer in enumerate(customers):
        assert sorted(stored(stack, run, customer.database)) == sorted(ids(batch(run, f"role-{number}", 5)))
    assert found_in(stack, [run]) == []

    other = customers[1]
    stolen = deepcopy(stack.byoc_destination)
    stolen["bucket"] = {"name": shown[0]["name"], "region": "us-east-1", "role_arn": shown[0]["role_arn"]}
    answer = client.put("/v1/destination", json=stolen, headers=bearer(other.key))
    assert answer.status_code == 400
    failed = [each["step"] for each in answer.json()["steps"] if each.get("ok") is False]
    assert failed == ["bucket.assume_role"]
    assert client.get("/v1/destination", headers=bearer(other.key)).json()["bucket"] == shown[1]


def test_a_customer_whose_clickhouse_is_away_keeps_no_other_waiting_and_loses_nothing(
    stack: RunningStack, client: httpx.Client
) -> None:
    _outage(stack, client, SHORT)


@pytest.mark.soak
def test_beside_an_outage_of_a_customers_clickhouse_another_tenants_events_are_found_as_soon_as_before(
    stack: RunningStack, client: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    before, during = _outage(stack, client, LONG)
    quiet, beside = _p95(before), _p95(during)
    with capsys.disabled():
        print(f"\nanother tenant's p95 to searchable: {quiet:.2f} s before, {beside:.2f} s beside an outage")
    assert beside / quiet <= SEEN_AT_MOST


def _outage(stack: RunningStack, client: httpx.Client, samples: int) -> tuple[list[float], list[float]]:
    """Seconds until each of a Managed tenant's events was found, before an outage and during it.

    All of the latter are found before the outage ends, and then what the customer sent is loaded once.
    """
    run, customer = new_run(), new_customer(stack, client)
    sent_before = samples * EVENTS

    def stored_lines() -> list[str]:
        return stored(stack, run, customer.database)

    before = _both_send(stack, customer, samples, f"before-{run}", run)
    wait_until(lambda: len(stored_lines()) == sent_before, 60, "what was sent before is loaded")
    customer.wire.cut()
    during = _both_send(stack, customer, samples, f"during-{run}", run)
    assert len(stored_lines()) == sent_before, "it is away"
    customer.wire.mend()
    wait_until(lambda: len(stored_lines()) >= 2 * sent_before, 120, "what waited is loaded")
    assert sorted(stored_lines()) == sorted(
        name
        for phase in ("before", "during")
        for number in range(samples)
        for name in ids(batch(run, f"{phase}-{run}-{number}", EVENTS))
    )
    return before, during


def _both_send(stack: RunningStack, customer: Customer, samples: int, phase: str, run: str) -> list[float]:
    """The BYOC customer sends beside a Managed tenant; how long each event of the latter took to be found."""

    def send(client: httpx.Client, number: int) -> float:
        own = drain(client, customer.key, batch(run, f"{phase}-{number}", EVENTS))
        assert own.status_code == 202
        return _seconds_until_searchable(stack, client, f"{phase} {number} of many")

    return at_once(stack, CONNECTIONS, range(samples), send)


def _seconds_until_searchable(stack: RunningStack, client: httpx.Client, message: str) -> float:
    """From sending a Managed tenant's event to the first search that finds it.

    The drain request waits until a search would: to search until then takes most of the machine's time.
    """
    began = time.monotonic()
    assert drain(client, stack.keys["ingest"], [{"message": message}], wait=True).status_code in (200, 202)

    def found() -> bool:
        answer = client.post("/v1/search", json={"q": f'"{message}"'}, headers=bearer(stack.keys["read"]))
        # All these clients are one tenant: more of them than it has searches at a time are answered 429.
        return answer.status_code == 200 and bool(answer.json()["events"])

    wait_until(found, 30, "it is found")
    return time.monotonic() - began


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1]
