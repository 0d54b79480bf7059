"""An account with something on every page: logs, files, usage, an erasure, a cap."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from tests.browser.visitor import PASSWORD, Visitor
from tests.integration.stack import RunningStack, bearer, wait_until

PERSON = "bob@example.com"
ROWS_OF_PERSON = 3
CSV = b"time,level,message\n" + b"".join(
    b"2026-11-23T10:00:%02dZ,info,request %d answered\n" % (number % 60, number) for number in range(500)
)
RAGGED = CSV + b"2026-11-23T10:09:00Z,info\n"
MESSAGES = (
    ("info", "checkout", "order {n} shipped"),
    ("warn", "payment", "retrying order {n}: declined by the bank, attempt 2 of 3"),
    ("error", "payment", "payment of order {n} declined by the bank: insufficient funds"),
    ("info", "web", "GET /orders/{n} 200 in 14 ms"),
    ("debug", "web", "cache miss for order {n}"),
)
SETTLED_SECONDS = 60

TRACE = "5b8aa5a2d2c872e8321cf37308d69df2"
SPANS = (
    ("web", "a1", 0, 412, "POST /checkout began"),
    ("checkout", "b2", 18, 398, "reserving order 700301"),
    ("payment", "c3", 61, 371, "asking the bank for order 700301"),
    ("stock", "d4", 64, 143, "2 items reserved"),
)
"""Service, span, first and last millisecond, and the first message of each span of TRACE."""


def access_token(visitor: Visitor) -> str:
    """Of a session of its own."""
    answer = httpx.post(
        f"{visitor.stack.api}/v1/login", json={"email": visitor.email, "password": PASSWORD}, timeout=30
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def events() -> list[dict[str, Any]]:
    """Some hundred events of the last half hour; ROWS_OF_PERSON of them name PERSON."""
    now = time.time()
    made: list[dict[str, Any]] = [
        {
            "message": message.format(n=700_000 + number),
            "service": service,
            "level": level,
            "timestamp": now - number * 6,
            "metadata": {"order": 700_000 + number, "region": "eu-central-1"},
        }
        for number in range(300)
        for level, service, message in [MESSAGES[number % len(MESSAGES)]]
    ]
    for event in made[:ROWS_OF_PERSON]:
        event["metadata"]["email"] = PERSON
    return [*made, *_traced(now - 90)]


def _traced(began: float) -> list[dict[str, Any]]:
    """The first and the last event of each span of TRACE."""
    return [
        {
            "message": message,
            "service": service,
            "level": "info",
            "timestamp": began + at / 1000,
            "trace_id": TRACE,
            "span_id": span * 8,
        }
        for service, span, first, last, said in SPANS
        for at, message in ((first, said), (last, f"done in {last - first} ms"))
    ]


def signed_in(visitor: Visitor) -> httpx.Client:
    """A client of the API with the visitor's own session."""
    headers = bearer(access_token(visitor))
    return httpx.Client(base_url=visitor.stack.api, headers=headers, timeout=60)


def account_of(visitor: Visitor) -> dict[str, Any]:
    with signed_in(visitor) as api:
        account: dict[str, Any] = api.get("/v1/account").json()
        return account


def send_events(visitor: Visitor) -> None:
    """By a key of the visitor's account; searches find them on return."""
    with signed_in(visitor) as api:
        form = {"name": "checkout in production", "scopes": ["ingest"]}
        key = api.post("/v1/keys", json=form).json()["key"]
    send_to_drain(visitor.stack, key, events())


def send_to_drain(stack: RunningStack, key: str, sent: Sequence[Mapping[str, Any]]) -> None:
    """Searches find `sent` on return."""
    answer = httpx.post(
        f"{stack.api}/v1/drain?wait=true", json={"events": list(sent)}, headers=bearer(key), timeout=60
    )
    assert answer.status_code == 200, answer.text


def put_file(api: httpx.Client, name: str, content: bytes) -> str:
    """The id of the uploaded file."""
    announced = api.post("/v1/uploads", json={"filename": name, "size": len(content)}).json()
    put = httpx.put(announced["url"], content=content, headers={"If-None-Match": "*"}, timeout=30)
    assert put.status_code == 200, put.text
    upload: str = announced["id"]
    return upload


def seed(visitor: Visitor) -> None:
    """Fill the account of a visitor who has signed up."""
    send_events(visitor)
    with signed_in(visitor) as api:
        files = [
            put_file(api, "orders.csv", CSV),
            put_file(api, "legacy.csv", RAGGED),
            put_file(api, "scan.bin", bytes(range(256)) * 8),
        ]
        assert api.patch("/v1/billing", json={"soft_cap_gb": 0.0006, "hard_cap_gb": 0.001}).status_code == 200
        person = {"field": "metadata.email", "value": "someone@example.com"}
        assert api.post("/v1/erasures", json=person).status_code == 202
        assert api.post("/v1/account/export").status_code == 202
        settled = {"done", "partly", "failed"}
        wait_until(
            lambda: all(api.get(f"/v1/uploads/{each}").json()["state"] in settled for each in files),
            SETTLED_SECONDS,
            "every file is read",
        )
