"""A rotated secret reaches running functions: within five minutes, and at once if ClickHouse rejects the old.

Real are the handlers, the cache of secrets and clickhouse-connect, with ClickHouse behind local.clickhouse;
moto answers signed requests. Only the clock of the cache is turned.
"""

import json
import signal
import socket
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import clickhouse_connect
import pytest
from moto import mock_aws

from functions.migrate import handler as migrating
from functions.query import handler as querying
from functions.shared import secret_store, signed_secrets
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.secret_contract import OUTAGE_SECONDS
from functions.shared.signed_secrets import SignedSecrets, read_secret
from functions.shared.warehouse import WarehouseBusyError, WarehouseDownError
from infra.topology import function
from tests.aws_environment import set_aws_environment
from tests.aws_in_memory import create_tables
from tests.contract.test_clickhouse_http import Face
from tests.integration.loading import load, staged
from tests.operating import operate
from tests.signed_connection import signed_requests_to

TENANTS = ("acme", "globex")
DATABASE = "rotation"
SEARCHER, NEXT_SEARCHER = "searcher", "next-searcher"
FIVE_MINUTES = 300


class Clock:
    """The clock of the cache of secrets."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead

    def turn(self, seconds: float) -> None:
        self.ahead += seconds


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    users = {name: {"password": f"{name}-1", "database": DATABASE} for name in (SEARCHER, NEXT_SEARCHER)}
    running = Face(tmp_path_factory.mktemp("rotation"), port, users=users)
    running.start()
    yield running
    running.end(signal.SIGTERM)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    turned = Clock()
    monkeypatch.setattr(signed_secrets, "_secrets", cache(lambda: SignedSecrets(turned.now)))
    return turned


class Secrets:
    """The secrets at moto, and how often they were read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.reads = 0
        self.is_down = False

    def store(self, face: Face, user: str, password: str) -> None:
        """Store the address of `face` in both secrets of ClickHouse, as an operator does."""
        address = {"host": "127.0.0.1", "port": face.port, "secure": False, "database": DATABASE}
        file = self._folder / "address.json"
        file.write_text(json.dumps({**address, "user": user, "password": password}))
        for name in ("search", "warehouse"):
            assert operate("put-secret", name, "--file", str(file)) == 0
        file.unlink()

    def watch(self, client: Any) -> None:
        """Count the reads of `client`; fail them while `is_down`."""
        read = client.get_secret_value

        def counted(**asked: Any) -> Any:
            self.reads += 1
            if self.is_down:
                raise client.exceptions.InternalServiceError({"Error": {"Code": "Down"}}, "GetSecretValue")
            return read(**asked)

        client.get_secret_value = counted


@pytest.fixture
def secrets(
    face: Face,
    clock: Clock,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Secrets]:
    """Secrets with the first password, functions that have not read them, and rows of two tenants."""
    set_aws_environment(monkeypatch)
    for setting, value in {**function("query").settings, **function("migrate").settings}.items():
        kind, _, resource = value.partition(":")
        monkeypatch.setenv(f"ASTRALOG_{setting.upper()}", resource or kind)
    with mock_aws():
        _forget()
        made = Secrets(tmp_path)
        made.store(face, SEARCHER, face.users[SEARCHER]["password"])
        migrating.handler({}, None)
        manager, dynamodb = boto3.client("secretsmanager"), boto3.client("dynamodb")
        create_tables(dynamodb)
        made.watch(manager)
        with signed_requests_to(manager, dynamodb):
            yield made
    _forget()


def _forget() -> None:
    for each in (
        secret_store._store,
        signed_secrets._secrets,
        querying._managed_search,
        querying._byoc_search,
    ):
        each.cache_clear()


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The users of the connections that were opened."""
    opened: list[str] = []
    connect = clickhouse_connect.get_client

    def connect_and_record(**settings: Any) -> Any:
        opened.append(settings["username"])
        return connect(**settings)

    monkeypatch.setattr(clickhouse_connect, "get_client", connect_and_record)
    return opened


def change_password(face: Face, user: str, password: str) -> None:
    """ClickHouse rejects the old password from now on; connections end."""
    face.users[user]["password"] = password
    face.end(signal.SIGTERM)
    face.start()


def found_by(tenant: str) -> list[str]:
    """The messages that a search of `tenant` finds; the search has to succeed."""
    answer = search(tenant)
    assert answer["statusCode"] == 200, answer
    return [each["message"] for each in json.loads(answer["body"])["events"]]


def search(tenant: str) -> dict[str, Any]:
    caller = {
        "verdict": "ok", "tenant_id": tenant, "key_id": "k", "project_id": "default", "scopes": "read",
        "retention_days": "30", "bytes_per_second": "1", "refusal": "", "actor": "key:k",
        "plan": "managed_30",
    }  # fmt: skip
    event = {
        "routeKey": "POST /v1/search",
        "requestContext": {
            "http": {"method": "POST"},
            "requestId": "r",
            "authorizer": {"lambda": caller},
        },
        "body": json.dumps({"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}),
    }
    answer: dict[str, Any] = querying.handler(event, None)
    return answer


def load_rows_of_both(batch_id: str) -> PlatformWarehouse:
    warehouse = PlatformWarehouse("warehouse", 5, read_secret)
    rows = [staged(tenant_id=tenant, message=f"{batch_id} of {tenant}") for tenant in TENANTS]
    load(warehouse, rows, batch_id)
    return warehouse


def test_a_rotated_secret_is_used_within_five_minutes(
    face: Face, secrets: Secrets, clock: Clock, users: list[str]
) -> None:
    load_rows_of_both("before")
    assert found_by("acme") == ["before of acme"]
    assert found_by("globex") == ["before of globex"]
    secrets.store(face, NEXT_SEARCHER, face.users[NEXT_SEARCHER]["password"])

    reads = secrets.reads
    assert [found_by(tenant) for tenant in TENANTS] == [[f"before of {tenant}"] for tenant in TENANTS]
    assert secrets.reads == reads, "the value is cached: searches cost no request each"
    assert set(users) == {SEARCHER}

    clock.turn(FIVE_MINUTES)
    assert [found_by(tenant) for tenant in TENANTS] == [[f"before of {tenant}"] for tenant in TENANTS]
    assert (users[-1], users.count(NEXT_SEARCHER)) == (NEXT_SEARCHER, 1)
    assert secrets.reads == reads + 1


def test_a_search_with_a_rejected_password_is_repeated_at_once_with_the_new_one(
    face: Face, secrets: Secrets
) -> None:
    load_rows_of_both("second")
    assert "second of acme" in found_by("acme")
    change_password(face, SEARCHER, "searcher-2")
    secrets.store(face, SEARCHER, "searcher-2")

    assert "second of acme" in found_by("acme")
    assert "second of globex" in found_by("globex")
    assert not [text for text in found_by("globex") if "acme" in text]


def test_an_insert_with_a_rejected_password_is_repeated_at_once_and_its_rows_are_there_once(
    face: Face, secrets: Secrets
) -> None:
    warehouse = load_rows_of_both("third")
    change_password(face, SEARCHER, "searcher-3")
    secrets.store(face, SEARCHER, "searcher-3")

    load(warehouse, [staged(tenant_id=tenant, message="fourth") for tenant in TENANTS], "fourth")

    counted = warehouse.select(
        "SELECT tenant_id, count() AS rows FROM events WHERE batch_id = 'fourth' GROUP BY 1"
    )
    assert {row["tenant_id"]: int(row["rows"]) for row in counted.rows} == {"acme": 1, "globex": 1}


def test_while_the_secret_has_the_rejected_password_a_statement_is_sent_once_and_a_search_may_be_repeated(
    face: Face, secrets: Secrets, users: list[str]
) -> None:
    warehouse = PlatformWarehouse("warehouse", 5, read_secret)
    assert warehouse.select("SELECT 1 AS one").whole("one") == 1
    old = face.users[SEARCHER]["password"]
    change_password(face, SEARCHER, "nobody-knows")
    opened, reads = len(users), secrets.reads

    with pytest.raises(WarehouseBusyError):
        warehouse.select("SELECT 1 AS one")

    assert (len(users) - opened, secrets.reads - reads) == (0, 1)
    for tenant in TENANTS:
        answer = search(tenant)
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (503, "search_unavailable")
    change_password(face, SEARCHER, old)
    assert warehouse.select("SELECT 1 AS one").whole("one") == 1


def test_while_secrets_manager_is_down_the_last_value_is_used_and_read_again_later(
    secrets: Secrets, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse = PlatformWarehouse("warehouse", 5, read_secret)
    assert warehouse.select("SELECT 1 AS one").whole("one") == 1
    secrets.is_down = True
    clock.turn(FIVE_MINUTES)
    reads = secrets.reads

    for _ in range(3):
        assert warehouse.select("SELECT 1 AS one").whole("one") == 1
    assert secrets.reads == reads + 1, "not at each statement"
    assert '"event":"secret_not_refreshed"' in capsys.readouterr().out
    clock.turn(OUTAGE_SECONDS + 1)
    assert warehouse.select("SELECT 1 AS one").whole("one") == 1
    assert secrets.reads == reads + 2


def test_a_function_that_cannot_read_its_secret_answers_as_when_clickhouse_is_down(secrets: Secrets) -> None:
    secrets.is_down = True

    with pytest.raises(WarehouseDownError):
        PlatformWarehouse("search", 5, read_secret).select("SELECT 1")
    for tenant in TENANTS:
        answer = search(tenant)
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (503, "search_unavailable")


@pytest.mark.usefixtures("secrets")
def test_the_cache_of_secrets_shows_none(face: Face) -> None:
    PlatformWarehouse("warehouse", 5, read_secret).select("SELECT 1")
    secrets = signed_secrets._secrets()

    assert secrets._cached.keys() == {"warehouse"}
    assert face.users[SEARCHER]["password"] not in f"{vars(secrets)} {vars(secrets._client)}"
