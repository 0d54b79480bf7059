"""What a guard refuses it never dials, and what it dials is what it judged, in one look-up."""

import socket
import subprocess
import sys
import threading
import time

import pytest

from functions.shared.egress import egress_filter as guard_module
from functions.shared.egress.egress_filter import (
    TLS_PORTS,
    AddressRefusedError,
    EgressFilter,
    UnreachableError,
)
from tests.unit.shared.hostile_hosts import ADDRESSES, HOSTILE, LED_TO, PUBLIC_V4, PUBLIC_V6
from tests.unit.shared.loopback import LOOPBACK, Names, serving, traffic

NAME = "db.customer.example"


@pytest.mark.parametrize("spelling", [spelling for spelling, _ in HOSTILE])
def test_a_hostile_host_is_never_dialled(spelling: str) -> None:
    names = Names(PUBLIC_V4)
    with traffic() as connections, pytest.raises(AddressRefusedError):
        EgressFilter(resolve=names).connect(spelling, 443, 1)
    assert (connections.dialled, connections.looked_up, names.asked) == ([], [], [])


@pytest.mark.parametrize("address", LED_TO)
def test_a_name_that_leads_there_is_never_dialled(address: str) -> None:
    for answer in ([address], [PUBLIC_V4, address], [address, PUBLIC_V6], [f"{PUBLIC_V6}%1"]):
        names = Names(answer)
        with traffic() as connections, pytest.raises(AddressRefusedError) as refused:
            EgressFilter(resolve=names).connect(NAME, 443, 1)
        assert (connections.dialled, connections.looked_up, names.asked) == ([], [], [NAME])
        assert address not in str(refused.value)


@pytest.mark.parametrize("address", LED_TO)
def test_a_name_that_changes_gains_nothing(address: str) -> None:
    names = Names(PUBLIC_V4, address)
    guard = EgressFilter(resolve=names)
    with traffic() as connections:
        with pytest.raises(UnreachableError):  # the record refuses to leave loopback
            guard.connect(NAME, 443, 1)
        assert (connections.dialled, names.asked) == ([(PUBLIC_V4, 443)], [NAME])
        with pytest.raises(AddressRefusedError):
            guard.connect(NAME, 443, 1)
        assert (connections.dialled, names.asked) == ([(PUBLIC_V4, 443)], [NAME, NAME])


def test_the_addresses_of_one_look_up_are_tried_in_order_as_they_were_judged() -> None:
    names = Names([PUBLIC_V6, PUBLIC_V4, PUBLIC_V6])
    with traffic() as connections, pytest.raises(UnreachableError):
        EgressFilter(resolve=names).connect(NAME, 8443, 1)
    assert connections.dialled == [(PUBLIC_V6, 8443, 0, 0), (PUBLIC_V4, 8443)]
    assert (names.asked, connections.looked_up) == ([NAME], [])


def test_the_socket_of_the_first_that_answers_is_handed_out() -> None:
    with serving() as server, traffic() as connections:
        guard = EgressFilter(allow_loopback=True, resolve=Names(["127.0.0.1"]))
        with guard.connect(NAME, server.port, 7, encrypted=False) as opened:
            assert opened.getpeername() == (LOOPBACK, server.port)
            assert opened.gettimeout() == 7
    assert connections.dialled == [(LOOPBACK, server.port)]


def test_a_closed_port_is_passed_over_and_then_reported() -> None:
    with socket.socket() as unheard:
        unheard.bind((LOOPBACK, 0))
        guard = EgressFilter(allow_loopback=True, resolve=Names(LOOPBACK))
        with pytest.raises(UnreachableError, match="Nothing answers"):
            guard.connect(NAME, unheard.getsockname()[1], 1)


@pytest.mark.parametrize("fault", [socket.gaierror(-2, "no such name"), TimeoutError(), UnicodeError()])
def test_an_unknown_name_is_reported_without_its_cause(fault: Exception) -> None:
    def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        raise fault

    with pytest.raises(UnreachableError) as caught:
        EgressFilter(resolve=resolve).connect(NAME, 443, 1)
    assert caught.value.__suppress_context__
    with pytest.raises(UnreachableError):
        EgressFilter(resolve=lambda *_, **__: []).connect(NAME, 443, 1)


def test_a_name_server_that_never_answers_takes_no_longer_than_a_connection_may() -> None:
    ended = threading.Event()

    def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        ended.wait(20)
        return []

    began = time.monotonic()
    with pytest.raises(UnreachableError):
        EgressFilter(resolve=resolve).connect(NAME, 443, 0.3)
    assert time.monotonic() - began < 10
    ended.set()


def test_looking_up_and_connecting_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given = list[float]()

    def dial(_address: object, _port: int, seconds: float) -> None:
        given.append(seconds)
        raise OSError

    def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        time.sleep(0.3)
        return list(Names(PUBLIC_V4)(NAME, 443))

    monkeypatch.setattr(guard_module, "_dial", dial)
    with pytest.raises(UnreachableError):
        EgressFilter(resolve=resolve).connect(NAME, 443, 1)
    assert given[0] < 0.75


def test_an_answer_of_another_family_is_refused() -> None:
    answer = [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", ("/run/engine.sock", 443))]
    with traffic() as connections, pytest.raises(AddressRefusedError):
        EgressFilter(resolve=lambda *_, **__: answer).connect(NAME, 443, 1)
    assert connections.dialled == []


@pytest.mark.parametrize("port", [-1, 0, 22, 25, 80, 6379, 8123, 65536, 99999])
@pytest.mark.parametrize("host", [NAME, PUBLIC_V4, PUBLIC_V6])
def test_other_ports_are_refused_before_a_look_up(host: str, port: int) -> None:
    names = Names(PUBLIC_V4)
    for guard in (EgressFilter(resolve=names), EgressFilter(allow_loopback=True, resolve=names)):
        with traffic() as connections, pytest.raises(AddressRefusedError, match="443, 8443, 9000"):
            guard.connect(host, port, 1)
        assert connections.dialled == []
    assert {443, 8443, 9000} == TLS_PORTS


def test_without_encryption_nothing_leaves_this_machine() -> None:
    for guard in (
        EgressFilter(resolve=Names(PUBLIC_V4)),
        EgressFilter(allow_loopback=True, resolve=Names(PUBLIC_V4)),
    ):
        with traffic() as connections, pytest.raises(AddressRefusedError, match="encrypted"):
            guard.connect(NAME, 443, 1, encrypted=False)
        assert connections.dialled == []


@pytest.mark.parametrize("address", sorted(set(ADDRESSES) - {"::1"}))
def test_allowing_loopback_allows_nothing_else(address: str) -> None:
    if address.startswith("127."):
        return
    guard = EgressFilter(allow_loopback=True, resolve=Names(address))
    for host in (address, NAME, "localhost"):
        with traffic() as connections, pytest.raises(AddressRefusedError):
            guard.connect(host, 443, 1)
        assert connections.dialled == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_taken_on_any_port_where_it_is_allowed(host: str) -> None:
    EgressFilter(allow_loopback=True).check(host, 1234, encrypted=False)
    with pytest.raises(AddressRefusedError):
        EgressFilter().check(host, 443)


@pytest.mark.parametrize(
    "url",
    [
        "https://db.customer.example",
        "https://db.customer.example/",
        "https://db.customer.example:8443",
        f"https://[{PUBLIC_V6}]:9000",
        f"https://{PUBLIC_V4}",
    ],
)
def test_the_url_of_a_public_host_is_taken(url: str) -> None:
    EgressFilter().check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "db.customer.example",
        "http://db.customer.example",
        "ftp://db.customer.example",
        "https://",
        "https://db.customer.example/x",
        "https://db.customer.example?x",
        "https://db.customer.example#x",
        "https://user:s3cret@db.customer.example",
        "https://user@db.customer.example",
        "https:/db.x.example",
        "https://db.customer.example:22",
        "https://db.customer.example:0443443",
        "https://db.customer.example:",
        "https://db.customer.example:443:443",
        "https://db.customer.example\\@127.0.0.1",
        " https://a.example",
        "https://a.example\n",
        "https://a.exa\tmple",
        "https://[127.0.0.1]",
        "https://[db.customer.example]",
        f"https://{PUBLIC_V6}",
        "https://[::1]",
        "https://[fe80::1%25eth0]",
        "file:///etc/passwd",
    ],
)
def test_any_other_url_is_refused_in_words_that_do_not_repeat_it(url: str) -> None:
    with traffic() as connections, pytest.raises(AddressRefusedError) as refused:
        EgressFilter().check_url(url)
    assert connections.looked_up == []
    assert "customer" not in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1234", "http://localhost:1234/", "https://[::1]", "http://a.example"]
)
def test_where_loopback_is_allowed_a_url_may_be_plain_and_its_address_decides(url: str) -> None:
    EgressFilter(allow_loopback=True).check_url(url)
    with pytest.raises(AddressRefusedError):
        EgressFilter().check_url(url)
    with pytest.raises(AddressRefusedError):
        EgressFilter(allow_loopback=True).check_url(f"http://{PUBLIC_V4}:443")


@pytest.mark.parametrize(("spelling", "address"), HOSTILE)
def test_no_hostile_host_passes_in_a_url(spelling: str, address: str) -> None:
    for host in {spelling, f"[{spelling}]", address, f"[{address}]"}:
        with pytest.raises(AddressRefusedError):
            EgressFilter().check_url(f"https://{host}")


def test_importing_the_guard_loads_no_client() -> None:
    modules = (
        "functions.shared.egress.egress_filter, functions.shared.egress.addresses, functions.shared.egress.s3"
    )
    light = f"import sys, {modules}; sys.exit(bool({{'boto3', 'botocore', 'urllib3'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", light], check=False).returncode == 0
