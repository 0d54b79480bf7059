"""Bodies of searches and of requests to uploads that no honest client sends, made from a seed."""

import base64
import json
from collections.abc import Iterator
from random import Random
from typing import Any, TypeVar

from tests.integration.hostile_bodies import EVIL_VALUES, mutated

CURSOR = base64.urlsafe_b64encode(
    b'[1,"0123456789abcdef",0,9,{"instant":1,"batch_id":"b","row_hash":1,"given":1}]'
)

TEXTS: list[bytes] = [
    b'"hello"', b'"globex"', b'"-\\"a b\\" c"', b'"\'; DROP TABLE events; --"', b'"{tenant_id:String}"',
    b'"%s"',
    b'"\\\\"', b'"\\u0000"', b'"(((("', b'"' + b"-" * 4000 + b'"',
    b'"' + b"a " * 2000 + b'"', b'"' + b"\\\"" * 2000 + b'"',
    '"\u00e9\u4f60\U0001f600"'.encode(), b'""', b'"\\ud800"', b'"' + b"x" * 5000 + b'"',
]  # fmt: skip

TIMES: list[bytes] = [
    b'"2026-11-01T00:00:00Z"', b'"2026-11-02"', b'"0000-00-00"', b'"9999-12-31T23:59:59.999999999Z"', b"0",
    b'"1969-12-31T23:59:59Z"', b'"2262-04-12T00:00:00Z"', b'"2026-11-01T00:00:00+99:99"', b'"now"', b'""',
    b'"' + b"9" * 4000 + b'"', b"1e999", b'"2026-11-01T00:00:00.' + b"1" * 300 + b'Z"',
]  # fmt: skip

FIELDS = [
    "message", "timestamp", "level", "service", "project_id", "trace_id", "span_id", "received_at",
    "metadata.a", "metadata.", "metadata.a.b.c", "metadata." + "a." * 400, "metadata.é", "metadata.a\0b",
    "metadata.'; --", "metadata.a\\", "tenant_id", "batch_id", "", "metadata", "metadata..",
]  # fmt: skip

T = TypeVar("T")

OPERATORS = ["eq", "ne", "in", "contains", "exists", "lt", "lte", "gt", "gte", "like", "", "EQ"]

VALID: list[bytes] = [b"1", b"1.5", b"true", b"null", b'"a"', b'"2026-11-01T00:00:00Z"', b"-7", b"1e300"]


RARE = {"cursor", "tenant_id"}
"""Members with which hardly a search is accepted."""


def searches(seed: int, count: int) -> Iterator[bytes]:
    """`count` bodies for POST /v1/search."""
    random = Random(seed)
    for _ in range(count):
        body = _search(random)
        yield mutated(random, body) if random.random() < 0.2 else body


def _search(random: Random) -> bytes:
    if random.random() < 0.05:
        return random.choice(
            [*EVIL_VALUES, b"", b"[" * 100_000, b'{"where":' + b"[" * 100_000, b'{"q":1}' * 1000]
        )
    members = []
    for name, make in _MEMBERS.items():
        if random.random() < (0.03 if name in RARE else 0.25):
            value = random.choice(EVIL_VALUES) if random.random() < 0.1 else make(random)
            members.append(json.dumps(name).encode() + b":" + value)
    random.shuffle(members)
    return b"{" + b",".join(members) + b"}"


def _often(random: Random, values: list[T]) -> T:
    """The first, which is a good one, more often than not."""
    return values[0] if random.random() < 0.6 else random.choice(values)


def _where(random: Random) -> bytes:
    return b"[" + b",".join(_condition(random) for _ in range(_often(random, [1, 0, 2, 3, 32, 40]))) + b"]"


def _condition(random: Random) -> bytes:
    operator = _often(random, OPERATORS)
    value = random.choice(TEXTS[:5] if random.random() < 0.7 else [*VALID, *EVIL_VALUES, *TIMES])
    if operator == "in":
        value = b"[" + b",".join([value] * _often(random, [3, 0, 1, 30, 1000, 1001])) + b"]"
    pairs = [
        b'"field":' + json.dumps(_often(random, FIELDS)).encode(),
        b'"op":' + json.dumps(operator).encode(),
        b'"value":' + value,
    ]
    return b"{" + b",".join(pairs) + b"}"


def _names(random: Random) -> bytes:
    some = [_often(random, TEXTS) for _ in range(_often(random, [1, 0, 2, 1000, 1001]))]
    return (
        b"["
        + b",".join(name[:200] if name.isascii() and b"\\" not in name else b'"a"' for name in some)
        + b"]"
    )


def _cursor(random: Random) -> bytes:
    text = CURSOR.rstrip(b"=")
    return json.dumps((mutated(random, text) if random.random() < 0.7 else text).decode("latin-1")).encode()


_MEMBERS: dict[str, Any] = {
    "from": lambda random: _often(random, TIMES),
    "to": lambda random: _often(random, TIMES),
    "projects": _names,
    "services": _names,
    "levels": _names,
    "q": lambda random: _often(random, TEXTS),
    "where": _where,
    "trace_id": lambda random: _often(random, TEXTS),
    "order": lambda random: _often(random, [b'"asc"', b'"desc"', b'"ASC"', b"1"]),
    "limit": lambda random: _often(random, [b"100", b"1", b"1000", b"0", b"-1", b"1e3", b"1001", b"9" * 30]),
    "cursor": _cursor,
    "tenant_id": lambda _random: b'"globex"',
}


def upload_requests(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """`count` requests of acme's to the routes of uploads, for tests.integration.hostile_uploads."""
    random = Random(seed)
    for _ in range(count):
        yield {"tenant": "acme", "scopes": "ingest read admin", **random.choice(_REQUESTS)(random)}


def _announcement(random: Random) -> dict[str, Any]:
    pairs = [b'"unknown":1'] if random.random() < 0.05 else []
    for name, values in _ANNOUNCED.items():
        if random.random() < 0.9:
            value = (
                values[0] if random.random() < 0.6 else random.choice([*values, random.choice(EVIL_VALUES)])
            )
            pairs.append(json.dumps(name).encode() + b":" + value)
    body = b"{" + b",".join(pairs) + b"}"
    return {
        "route": "POST /v1/uploads",
        "raw": _text(mutated(random, body) if random.random() < 0.2 else body),
    }


def _choice(random: Random) -> dict[str, Any]:
    value = random.choice([b'"keep"', b'"delete"', *EVIL_VALUES])
    return {"route": "PUT /v1/uploads/settings", "raw": _text(b'{"original":%b}' % value)}


def _look(random: Random) -> dict[str, Any]:
    upload_id = random.choice(["", "0" * 26, "../x", "é" * 26, "\0", "a" * 10_000, "0" * 25 + "\n", "'; --"])
    return {"route": "GET /v1/uploads/{id}", "upload_id": upload_id}


def _list(random: Random) -> dict[str, Any]:
    values = ["1", "100", "0", "-1", "1e9", "", "9" * 5000, "²", "\0", "0" * 26, "é"]
    query = {name: random.choice(values) for name in ("limit", "cursor", "x") if random.random() < 0.6}
    return {"route": "GET /v1/uploads", "query": query}


def _text(body: bytes) -> str:
    """As the gateway hands a body on that says it is text."""
    return body.decode("utf-8", "replace")


_ANNOUNCED: dict[str, list[bytes]] = {
    "filename": [
        b'"app.log"', b'"../../globex/x.log"', b'"a/./../b"', b'"\\u0000"', b'"\\ud800"',
        b'"\\\\\\\\x"', b'"."', b'"/"', b'""', b'" "',
        b'"' + b"n" * 701 + b'"', '"\U0001f600.log"'.encode(), b'"a\\nb"',
        b'"?X-Amz-Signature=1&a=%00#"',
    ],
    "size": [b"1", b"5", b"5368709120", b"5368709121", b"0", b"-1", b"1.5", b"1e3", b"9" * 30, b'"5"'],
    "original": [b'"keep"', b'"delete"', b"null", b'"KEEP"', b"1"],
}  # fmt: skip

_REQUESTS = [_announcement, _announcement, _announcement, _choice, _look, _list]
