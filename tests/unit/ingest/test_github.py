"""GitHub's webhooks: an event is a row, a delivery is stored once, and its signature is made with the key."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import said, send

pytestmark = pytest.mark.usefixtures("ingest")

KEY = "ast_sk_live_secret"
URL = f"POST /v1/github?key={KEY}"
PAYLOAD = {
    "action": "opened",
    "number": 7,
    "repository": {"full_name": "acme/shop", "id": 12345678901234567},
    "sender": {"login": "octocat"},
}


def headers(body: bytes, delivery: str = "72d3162e", **more: str) -> dict[str, str]:
    signature = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "x-github-event": "pull_request",
        "x-github-delivery": delivery,
        "x-hub-signature-256": f"sha256={signature}",
        **more,
    }


def test_an_event_is_a_row_with_its_payload(ingest: InMemoryIngest) -> None:
    body = json.dumps(PAYLOAD).encode()
    assert said(send(URL, body, headers(body)))[0] == 202
    form = urlencode({"payload": body.decode()}).encode()
    sent = headers(form, "2", **{"content-type": "application/x-www-form-urlencoded"})
    assert said(send(URL, form, sent))[0] == 202
    by_delivery = sorted(ingest.staged(), key=lambda rows: rows[0]["metadata"]["delivery"])
    for rows, delivery in zip(by_delivery, ("2", "72d3162e"), strict=True):
        assert (rows[0]["message"], rows[0]["service"]) == (
            "pull_request.opened acme/shop by octocat",
            "acme/shop",
        )
        assert rows[0]["metadata"] == {"event": "pull_request", "delivery": delivery, "payload": PAYLOAD}


def test_a_delivery_that_is_sent_again_is_stored_once_for_each_account(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex", "acme", "globex"):
        body = json.dumps({"zen": f"of {tenant}"}).encode()
        assert said(send(URL, body, headers(body), tenant=tenant))[0] == 202
    for tenant in ("acme", "globex"):
        ((row,),) = ingest.staged(tenant)
        assert row["metadata"]["payload"] == {"zen": f"of {tenant}"}


@pytest.mark.parametrize("signature", ["sha256=00", "00", "sha256=é"])
def test_a_wrong_signature_is_refused(ingest: InMemoryIngest, signature: str) -> None:
    body = json.dumps(PAYLOAD).encode()
    status, answer = said(send(URL, body, headers(body, **{"x-hub-signature-256": signature})))
    assert (status, answer["code"]) == (401, "unauthorized")
    assert ingest.staged() == []


def test_without_a_secret_the_key_alone_admits(ingest: InMemoryIngest) -> None:
    sent = {"authorization": f"Bearer {KEY}", "x-github-event": "ping"}
    assert said(send("POST /v1/github", b'{"zen":"x"}', sent))[0] == 202
    assert ingest.staged()[0][0]["message"] == "ping"


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"x=1", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 20, "application/x-www-form-urlencoded", 400),
        (b"{", "application/json", 400),
        (json.dumps({"x": "y" * 2**20}).encode(), "application/json", 400),
        (b"{" + b" " * (4 * 2**20), "application/json", 413),
    ],
)
def test_what_is_no_payload_is_refused(
    ingest: InMemoryIngest, body: bytes, media_type: str, status: int
) -> None:
    sent: dict[str, Any] = headers(body, **{"content-type": media_type})
    assert send(URL, body, sent)["statusCode"] == status
    assert ingest.staged() == []
