"""The first step to an address: what is refused, what does not answer, whose certificate is good for it."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from functions.destinations import reach as reaching
from functions.destinations.reach import reach
from functions.destinations.steps import StepFailedError
from functions.shared.egress.egress_filter import EgressFilter
from tests.unit.shared.loopback import LOOPBACK, Names, certified, serving, traffic

NAME = "ch.customer.example"


def failed(
    guard: EgressFilter, host: str, port: int, *, encrypted: bool = True, **given: Any
) -> StepFailedError:
    with pytest.raises(StepFailedError) as caught:
        reach(guard, host, port, encrypted=encrypted, **given)
    return caught.value


@pytest.mark.parametrize(
    ("host", "port", "encrypted", "word"),
    [
        ("10.0.0.1", 8443, True, "public internet"),
        ("169.254.169.254", 443, True, "public internet"),
        ("localhost", 8443, True, "public internet"),
        ("https://ch.customer.example", 8443, True, "public internet"),
        (NAME, 22, True, "8443"),
        (NAME, 8443, False, "Use TLS"),
    ],
)
def test_an_address_where_nothing_may_be_sent_says_what_to_give_instead(
    host: str, port: int, encrypted: bool, word: str
) -> None:
    with traffic() as seen:
        assert (
            word in failed(EgressFilter(resolve=Names("93.184.216.34")), host, port, encrypted=encrypted).fix
        )
    assert seen.dialled == []


def test_a_name_with_an_internal_address_reveals_nothing_of_it() -> None:
    refusal = failed(EgressFilter(resolve=Names("10.1.2.3")), NAME, 8443)
    assert "public internet" in refusal.fix
    assert "10." not in f"{refusal.detail} {refusal.fix}"


def test_an_unknown_name_differs_from_a_closed_port() -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror("no")

    assert "DNS" in failed(EgressFilter(resolve=unknown), NAME, 8443).fix
    with socket.socket() as bound:
        bound.bind((LOOPBACK, 0))
        closed = failed(EgressFilter(allow_loopback=True), LOOPBACK, bound.getsockname()[1])
    assert "refused" in closed.detail


def test_silence_differs_from_a_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "CONNECT_SECONDS", 0.2)

    def silent(*_: Any, **__: Any) -> Any:
        time.sleep(0.2)
        raise TimeoutError

    monkeypatch.setattr("functions.shared.egress.egress_filter._dial", silent)
    assert "firewall" in failed(EgressFilter(resolve=Names("93.184.216.34")), NAME, 8443).fix


def test_a_bad_certificate_is_reported_with_its_cause(tmp_path: Path) -> None:
    own = certified(NAME, tmp_path)
    guard = EgressFilter(allow_loopback=True, resolve=Names(LOOPBACK))
    with serving(tls=own.context) as server:
        assert "self-signed" in failed(guard, NAME, server.port).detail
        assert "issued for" in failed(guard, "other.example", server.port, ca_certs=own.roots).fix
        passed = reach(guard, NAME, server.port, encrypted=True, ca_certs=own.roots)
    assert passed.advice is None


def test_for_a_server_without_tls_the_fix_names_the_port() -> None:
    with serving() as server:
        assert "8443" in failed(EgressFilter(allow_loopback=True), LOOPBACK, server.port).fix
        plain = reach(EgressFilter(allow_loopback=True), LOOPBACK, server.port, encrypted=False)
    assert "TLS" in str(plain.advice)
