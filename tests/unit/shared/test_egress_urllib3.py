"""urllib3 under a guard: judged on every connection, verified by name; no redirect, proxy or repetition."""

import contextlib
from collections.abc import Iterator
from socket import socket
from urllib.parse import quote

import pytest
from urllib3.exceptions import (
    LocationValueError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.poolmanager import PoolManager

from functions.shared.egress.egress_filter import AddressRefusedError, EgressFilter
from functions.shared.egress.pools import pool_manager
from tests.unit.shared.hostile_hosts import HOSTILE, LED_TO, PUBLIC_V4, in_a_url
from tests.unit.shared.loopback import (
    LOOPBACK,
    Certified,
    Names,
    ReceivedRequest,
    Server,
    certified,
    serving,
    traffic,
)

NAME = "db.customer.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(NAME, tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def redirecting() -> Iterator[Server]:
    """Sends GET /301/<index> to that spelling of HOSTILE."""

    def script(request: ReceivedRequest) -> tuple[int, dict[str, str]]:
        _, status, index = request.path.split("/")
        return int(status), {"Location": f"https://{quote(HOSTILE[int(index)][0], safe='[]@:.%#?/')}/"}

    with serving(script) as server:
        yield server


def open_to_loopback() -> PoolManager:
    return pool_manager(EgressFilter(allow_loopback=True, resolve=Names(LOOPBACK)))


@pytest.mark.parametrize(("spelling", "address"), HOSTILE)
def test_a_hostile_host_is_never_dialled(spelling: str, address: str) -> None:
    manager = pool_manager(EgressFilter(resolve=Names(address)))
    refusals = (AddressRefusedError, LocationValueError)  # urllib3 cannot read some of them at all
    for scheme in ("https", "http"):
        with traffic() as connections, pytest.raises(refusals):
            manager.request("GET", f"{scheme}://{in_a_url(spelling)}/")
        assert (connections.dialled, connections.looked_up) == ([], [])
    with traffic() as connections, pytest.raises(refusals):
        # Past urllib3's own reading of URLs.
        manager.connection_from_host(spelling, 443, "https").urlopen("GET", "/")
    assert (connections.dialled, connections.looked_up) == ([], [])


@pytest.mark.parametrize("address", LED_TO)
def test_a_name_that_leads_there_or_changes_is_never_dialled(address: str) -> None:
    names = Names(PUBLIC_V4, address)
    manager = pool_manager(EgressFilter(resolve=names))
    with traffic() as connections:
        with pytest.raises(NewConnectionError):
            manager.request("GET", f"https://{NAME}/", retries=5)
        assert (connections.dialled, names.asked) == ([(PUBLIC_V4, 443)], [NAME])
        with pytest.raises(AddressRefusedError):
            manager.request("GET", f"https://{NAME}/", retries=5)
        assert (connections.dialled, names.asked, connections.looked_up) == (
            [(PUBLIC_V4, 443)],
            [NAME, NAME],
            [],
        )


@pytest.mark.parametrize("index", range(len(HOSTILE)), ids=lambda index: repr(HOSTILE[index][0]))
def test_a_redirect_there_is_the_answer(redirecting: Server, index: int) -> None:
    manager = open_to_loopback()
    with traffic() as connections:
        for status in (301, 302, 307):
            url = f"http://{NAME}:{redirecting.port}/{status}/{index}"
            assert manager.request("GET", url, redirect=True, retries=3).status == status
    assert set(connections.dialled) == {(LOOPBACK, redirecting.port)}
    manager.clear()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_to_no_other_server_and_to_no_other_path(status: int) -> None:
    with serving() as sink, contextlib.ExitStack() as servers:
        for location in (f"http://{LOOPBACK}:{sink.port}/", f"//{LOOPBACK}:{sink.port}/", "/elsewhere"):
            server = servers.enter_context(serving(lambda _, to=location: (status, {"Location": to})))  # type: ignore[misc]
            manager = open_to_loopback()
            url = f"http://{LOOPBACK}:{server.port}/"
            for method in ("GET", "POST"):
                assert manager.request(method, url, redirect=True).status == status
            pool = manager.connection_from_url(url)
            assert pool.urlopen("GET", "/", retries=3, redirect=True, assert_same_host=False).status == status
            assert [request.path for request in server.requests] == ["/"] * 3
        assert sink.requests == []


def test_each_connection_is_judged_anew_even_in_one_pool() -> None:
    names = Names(LOOPBACK, "10.0.0.1")
    manager = pool_manager(EgressFilter(allow_loopback=True, resolve=names))
    with serving(lambda _: (200, {"Connection": "close"})) as server, traffic() as connections:
        assert manager.request("GET", f"http://{NAME}:{server.port}/").status == 200
        with pytest.raises(AddressRefusedError):
            manager.request("GET", f"http://{NAME}:{server.port}/")
        assert (len(server.requests), connections.dialled) == (1, [(LOOPBACK, server.port)])


def test_a_request_is_not_repeated() -> None:
    with serving(lambda _: (503, {"Retry-After": "0"})) as server:
        url = f"http://{LOOPBACK}:{server.port}/"
        assert open_to_loopback().request("GET", url, retries=5).status == 503
        assert len(server.requests) == 1


def test_a_final_dot_is_refused_before_urllib3_takes_it_off() -> None:
    names = Names(PUBLIC_V4)
    with traffic() as connections, pytest.raises(AddressRefusedError):
        pool_manager(EgressFilter(resolve=names)).request("GET", f"https://{NAME}./")
    assert (connections.dialled, names.asked) == ([], [])


def test_http_is_refused_but_on_loopback() -> None:
    with traffic() as connections, pytest.raises(AddressRefusedError, match="https"):
        pool_manager(EgressFilter(resolve=Names(PUBLIC_V4))).request("GET", f"http://{NAME}:443/")
    assert connections.dialled == []


def test_tls_is_verified_for_the_name_that_was_asked_for(certificate: Certified) -> None:
    guard = EgressFilter(allow_loopback=True, resolve=Names(LOOPBACK))
    manager = pool_manager(guard, ca_certs=certificate.roots)
    with serving(tls=certificate.context) as server:
        assert manager.request("GET", f"https://{NAME}:{server.port}/").status == 200
        for host in ("other.customer.example", LOOPBACK):
            with pytest.raises(SSLError):
                manager.request("GET", f"https://{host}:{server.port}/")
        assert server.server_names == [NAME, "other.customer.example", None]
        assert len(server.requests) == 1


def test_an_unknown_root_is_refused_and_no_setting_turns_that_off(certificate: Certified) -> None:
    guard = EgressFilter(allow_loopback=True, resolve=Names(LOOPBACK))
    lax = {"cert_reqs": "CERT_NONE", "assert_hostname": False, "server_hostname": NAME}
    with serving(tls=certificate.context) as server:
        for manager in (pool_manager(guard), pool_manager(guard, **lax)):
            with pytest.raises(SSLError):
                manager.request("GET", f"https://{NAME}:{server.port}/")
        trusting = pool_manager(guard, ca_certs=certificate.roots, **lax)
        with pytest.raises(SSLError):
            trusting.request("GET", f"https://other.customer.example:{server.port}/")
        assert server.requests == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"])
def test_a_proxy_of_the_environment_sees_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch, certificate: Certified
) -> None:
    with serving() as sink, serving() as server, serving(tls=certificate.context) as secure:
        monkeypatch.setenv(name, f"http://{LOOPBACK}:{sink.port}")
        guard = EgressFilter(allow_loopback=True, resolve=Names(LOOPBACK))
        manager = pool_manager(guard, ca_certs=certificate.roots)
        assert manager.request("GET", f"http://{NAME}:{server.port}/").status == 200
        assert manager.request("GET", f"https://{NAME}:{secure.port}/").status == 200
        assert (len(sink.requests), len(server.requests), len(secure.requests)) == (0, 1, 1)


def test_silence_ends_at_the_timeout() -> None:
    with socket() as silent:
        silent.bind((LOOPBACK, 0))
        silent.listen()
        url = f"http://{LOOPBACK}:{silent.getsockname()[1]}/"
        with pytest.raises(ReadTimeoutError):
            open_to_loopback().request("GET", url, timeout=0.2)
