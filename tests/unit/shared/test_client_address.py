"""The viewer's address counts beside CloudFront's secret only; anyone can send the header."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from functions.shared import client_address
from functions.shared.accounts.audit import origin
from functions.shared.client_address import client_address as address_of

SECRET, OLD_SECRET = "the-secret-of-cloudfront", "the-one-before"


@pytest.fixture(autouse=True)
def behind_cloudfront(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    digests = ",".join(hashlib.sha256(each.encode()).hexdigest() for each in (SECRET, OLD_SECRET))
    monkeypatch.setenv("ASTRALOG_EDGE_SECRET_SHA256", digests)
    client_address._digests.cache_clear()
    yield
    client_address._digests.cache_clear()


def event(**headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"headers": named, "requestContext": {"http": {"sourceIp": "203.0.113.1", "userAgent": "curl"}}}


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_cloudfront_states_the_viewers_address(secret: str) -> None:
    sent = event(x_astralog_edge=secret, x_astralog_viewer="2001:db8::1")

    assert address_of(sent) == "2001:db8::1"
    assert origin(sent, "person:p").source_ip == "2001:db8::1", "the audit trail has the viewer's, too"


@pytest.mark.parametrize("secret", ["", "wrong", hashlib.sha256(SECRET.encode()).hexdigest(), "\udcff"])
def test_a_sender_without_the_secret_cannot_choose_its_address(secret: str) -> None:
    assert address_of(event(x_astralog_edge=secret, x_astralog_viewer="198.51.100.7")) == "203.0.113.1"
    assert address_of(event(x_astralog_viewer="198.51.100.7")) == "203.0.113.1"


def test_without_cloudfront_no_secret_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASTRALOG_EDGE_SECRET_SHA256")
    client_address._digests.cache_clear()

    for secret in ("", SECRET):
        assert address_of(event(x_astralog_edge=secret, x_astralog_viewer="198.51.100.7")) == "203.0.113.1"


def test_an_event_without_an_address_has_none() -> None:
    assert address_of({}) == ""
