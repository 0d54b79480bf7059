"""A customer's ClickHouse under a guard: the real client, and the real engine where it may be reached."""

from collections.abc import Iterator
from signal import SIGTERM
from socket import socket

import pytest

from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.egress.egress_filter import AddressRefusedError, EgressFilter
from functions.shared.egress.pools import pool_manager
from functions.shared.secret_text import SecretText
from functions.shared.warehouse import (
    OutcomeUnknownError,
    Warehouse,
    WarehouseDownError,
    WarehouseRefusedError,
)
from tests.contract.test_clickhouse_http import DATABASE, PASSWORD, USER, Face
from tests.unit.shared.hostile_hosts import HOSTILE, PUBLIC_V4
from tests.unit.shared.loopback import LOOPBACK, Names, serving, traffic

NAME = "db.customer.example"


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    with socket() as listener:
        listener.bind((LOOPBACK, 0))
        port = listener.getsockname()[1]
    running = Face(tmp_path_factory.mktemp("face"), port)
    running.start()
    yield running
    running.end(SIGTERM)


def customers(host: str, port: int, guard: EgressFilter, secure: bool = False, user: str = USER) -> Warehouse:
    address = ClickHouseAddress(host, port, secure, user, SecretText(PASSWORD), DATABASE)
    return Warehouse(address, 5, pool_manager(guard))


def test_the_real_client_works_over_guarded_connections(face: Face) -> None:
    names = Names(LOOPBACK)
    with traffic() as connections:
        warehouse = customers(NAME, face.port, EgressFilter(allow_loopback=True, resolve=names))
        warehouse.command("CREATE TABLE guarded (n UInt64) ENGINE = MergeTree ORDER BY n")
        warehouse.command("INSERT INTO guarded SELECT number FROM numbers(1000)")
        assert int(warehouse.select("SELECT sum(n) AS total FROM guarded").rows[0]["total"]) == 499_500
        with pytest.raises(WarehouseRefusedError):
            warehouse.select("SELECT * FROM nowhere")
        warehouse.close()
    assert set(connections.dialled) == {(LOOPBACK, face.port)}
    assert len(connections.dialled) == len(names.asked)
    assert connections.looked_up == []


def test_two_customers_share_a_manager_and_keep_their_own_credentials() -> None:
    manager = pool_manager(EgressFilter(allow_loopback=True, resolve=Names(LOOPBACK)))
    with serving(lambda _: (403, {})) as server:
        for user in ("acme", "globex"):
            address = ClickHouseAddress(
                NAME, server.port, False, user, SecretText(f"{user}-password"), DATABASE
            )
            with pytest.raises(Exception, match="ClickHouse"):
                Warehouse(address, 5, manager).select("SELECT 1")
        assert len({request.headers["Authorization"] for request in server.requests}) == 2


@pytest.mark.parametrize(("spelling", "address"), HOSTILE[::3])
def test_a_hostile_address_is_refused_by_every_method_and_never_dialled(spelling: str, address: str) -> None:
    for host, names in ((spelling, Names(PUBLIC_V4)), (NAME, Names(address))):
        warehouse = customers(host, 8443, EgressFilter(resolve=names), secure=True)
        with traffic() as connections:
            for call in (warehouse.select, warehouse.command):
                with pytest.raises(Exception) as refused:  # noqa: PT011 - urllib3 refuses some spellings first
                    call("SELECT 1")
                assert PASSWORD not in str(refused.value)
        assert (connections.dialled, connections.looked_up) == ([], [])
    assert isinstance(refused.value, AddressRefusedError)


def test_no_answer_is_a_warehouse_that_is_down() -> None:
    with traffic() as connections, pytest.raises(WarehouseDownError):
        customers(NAME, 8443, EgressFilter(resolve=Names(PUBLIC_V4)), secure=True).select("SELECT 1")
    assert connections.dialled == [(PUBLIC_V4, 8443)]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_no_password_goes_there(status: int) -> None:
    with serving() as sink:
        there = {"Location": f"http://{LOOPBACK}:{sink.port}/"}
        with serving(lambda _: (status, there)) as server:
            warehouse = customers(
                NAME, server.port, EgressFilter(allow_loopback=True, resolve=Names(LOOPBACK))
            )
            with pytest.raises((OutcomeUnknownError, WarehouseRefusedError)):
                warehouse.select("SELECT 1")
            assert server.requests
        assert sink.requests == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"])
def test_a_proxy_of_the_environment_sees_nothing(
    face: Face, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as sink:
        monkeypatch.setenv(name, f"http://{LOOPBACK}:{sink.port}")
        warehouse = customers(NAME, face.port, EgressFilter(allow_loopback=True, resolve=Names(LOOPBACK)))
        assert warehouse.select("SELECT 1 AS one").rows == [{"one": 1}]
        with traffic(), pytest.raises(AddressRefusedError):
            customers(NAME, 8443, EgressFilter(resolve=Names("10.0.0.1")), secure=True).select("SELECT 1")
        assert sink.requests == []
