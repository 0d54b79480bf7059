"""Hostile bodies of the protocols stay within bounds, and no change of a body is our fault."""

import json
import random

import msgpack
import pytest

from tests.measured import cost_of
from tests.unit.ingest.drain_bodies import BODIES, delivery
from tests.unit.ingest.sending import send

pytestmark = pytest.mark.usefixtures("ingest")


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_stays_within_5_cpu_seconds_and_a_quarter_of_the_memory(name: str) -> None:
    cost = cost_of("tests.unit.ingest.drain_bodies:send_hostile", {"name": name}, memory_mb=1024)
    assert cost.result in (200, 202, 400, 413)
    assert cost.cpu_seconds <= 5, cost
    assert cost.peak_mb <= 256, cost


_SUBSCRIPTION = {
    "messageType": "DATA_MESSAGE",
    "logGroup": "g",
    "logEvents": [{"id": "1", "timestamp": 1795946400123, "message": '{"level":"x","msg":"a"}'}],
}

GOOD: dict[str, tuple[str, dict[str, str], bytes]] = {
    "splunk": (
        "POST /services/collector/event",
        {},
        b'{"event":{"message":{"a":1},"b":"c"},"time":"1795946400.1","fields":{"x":"y"}}{"event":"b"}',
    ),
    "splunk raw": ("POST /services/collector/raw?host=h", {}, b'one\n{"msg":"two","x":[1,{}]}\n'),
    "datadog": (
        "POST /api/v2/logs",
        {},
        b'[{"message":"{\\"msg\\":\\"a\\"}","ddtags":"a:b,c","timestamp":1},{"message":{"a":1}}]',
    ),
    "logtail": ("POST /", {}, b'[{"dt":"2026-11-29T10:00:00Z","message":"a","context":{"x":1}}]'),
    "logtail msgpack": (
        "POST /",
        {"content-type": "application/msgpack"},
        msgpack.packb([{"dt": msgpack.Timestamp(1, 2), "message": "a", "context": {"x": b"y"}}, {"m": [1]}]),
    ),
    "firehose": (
        "POST /v1/firehose",
        {},
        delivery(json.dumps(_SUBSCRIPTION).encode(), b'{"msg":"a"}{"msg":"b"}', b"text\nlines"),
    ),
    "syslog": (
        "POST /v1/syslog",
        {},
        b'<165>1 2026-11-29T10:00:00Z h a 1 ID [x y="z\\"" w="v"][b] m\n<34>Oct 11 22:14:15 h su[7]: x\n',
    ),
    "heroku": (
        "POST /v1/heroku",
        {},
        b"49 <190>1 2026-11-29T10:00:00Z h a web.1 - one and a17 <34>1 - h a - two",
    ),
    "vercel": (
        "POST /v1/vercel",
        {},
        b'[{"message":"a","timestamp":1795946400123,"projectName":"p"},{"proxy":{"method":"GET","path":"/"}}]',
    ),
    "cloudflare": (
        "POST /v1/cloudflare",
        {},
        b'{"ClientRequestMethod":"GET","EdgeResponseStatus":200,"EdgeStartTimestamp":1795946400123}\n{"a":1}',
    ),
    "github": (
        "POST /v1/github",
        {},
        b'{"action":"opened","repository":{"full_name":"a/b"},"sender":{"login":"c"}}',
    ),
    "journald": (
        "POST /v1/journald/upload",
        {},
        b"MESSAGE=a\nPRIORITY=3\n\nMESSAGE\n\x03\x00\x00\x00\x00\x00\x00\x00b\nc\nX=1\nX=2\n\n",
    ),
}


def send_changed(name: str, rounds: int) -> None:
    url, headers, good = GOOD[name]
    assert send(url, good, headers)["statusCode"] in (200, 202, 204)
    draw = random.Random(f"{name} {rounds}")
    for _ in range(rounds):
        body = bytearray(good)
        for _ in range(draw.randint(1, 8)):
            at = draw.randrange(len(body))
            kind = draw.randrange(3)
            body[at : at + (kind != 0)] = bytes([draw.randrange(256)]) * (kind != 1)
            body = body or bytearray(b"x")
        answer = send(url, bytes(body), headers)
        assert answer["statusCode"] in (200, 202, 204, 400, 413), bytes(body)


@pytest.mark.parametrize("name", GOOD)
def test_changed_bytes_are_never_our_fault(name: str) -> None:
    send_changed(name, 150)


@pytest.mark.soak
@pytest.mark.parametrize("name", GOOD)
def test_20_000_changed_bodies_are_never_our_fault(name: str) -> None:
    send_changed(name, -(-20_000 // len(GOOD)))
