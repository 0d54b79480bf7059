"""A good body of each decoder, and changes of it that a hostile or broken sender could make.

Besides bytes that are changed, removed and repeated there are lies about lengths, values nested in values,
and pieces repeated very often, in the terms of each format.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO

import msgpack
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.unit.ingest.drain_bodies import delivery
from tests.unit.ingest.loki_bodies import compressed, entry, stream, varint
from tests.unit.ingest.otlp_bodies import field as wire_field

MAX_BYTES = 200_000
"""Of a body after its changes."""

Draw = random.Random
Change = Callable[[bytes, Draw], bytes]
Count = Callable[[bytes], int | None]


def unknown(_body: bytes) -> None:
    return None


@dataclass(frozen=True)
class Seed:
    """`changes`: those of its format. `packed`: what is sent of a changed body. `count`: the records that a
    changed body holds, None where nothing but the decoder under test could count them."""

    url: str
    body: bytes
    changes: tuple[Change, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    packed: Callable[[bytes], bytes] = bytes
    count: Count = unknown


def changed(seed: Seed, draw: Draw) -> bytes:
    """The seed's body after one to four changes."""
    body = seed.body
    for _ in range(draw.randint(1, 4)):
        change = draw.choice((*_BYTES, *seed.changes))
        body = change(body, draw)[:MAX_BYTES] or b"x"
    return body


def _flip(body: bytes, draw: Draw) -> bytes:
    at = draw.randrange(len(body))
    return body[:at] + bytes([draw.randrange(256)]) + body[at + 1 :]


def _remove(body: bytes, draw: Draw) -> bytes:
    at = draw.randrange(len(body))
    return body[:at] + body[at + draw.choice((1, 1, 2, 8)) :]


def _cut(body: bytes, draw: Draw) -> bytes:
    return body[: draw.randrange(len(body))]


def _insert(body: bytes, draw: Draw) -> bytes:
    at = draw.randrange(len(body))
    return body[:at] + draw.choice((b"\x00", b"\xff" * 9, b"\x80", b"\n", b'"', b"\\")) + body[at:]


def _repeat(body: bytes, draw: Draw) -> bytes:
    at = draw.randrange(len(body))
    piece = body[at : at + draw.choice((1, 4, 32, 400))]
    return body[:at] + piece * draw.choice((2, 9, 900)) + body[at:]


_BYTES: tuple[Change, ...] = (_flip, _flip, _remove, _cut, _insert, _repeat)


def _put(body: bytes, draw: Draw, piece: bytes) -> bytes:
    at = draw.randrange(len(body) + 1)
    return body[:at] + piece + body[at:]


_JSON_PIECES = (
    b"[" * 9_000,
    b'{"a":' * 3_000,
    b"{}," * 9_000,
    b'"message":{"message":' * 99,
    b"9" * 5_000,
    b"1e999",
    b"-0",
    b"\\ud800",
    b'"\\u0000"',
    b"null",
    b"NaN",
    b"[]",
    b'{"":{}}',
    b"\xef\xbb\xbf",
)


def _json_bomb(body: bytes, draw: Draw) -> bytes:
    return _put(body, draw, draw.choice(_JSON_PIECES))


def _json_value(body: bytes, draw: Draw) -> bytes:
    """Another value in the place of one after a colon."""
    places = [at for at, byte in enumerate(body) if byte == ord(":")]
    at = draw.choice(places) + 1 if places else 0
    value = draw.choice((b"null,", b"[],", b"{},", b"1e400,", b'"",', b"true,", b"-9223372036854775809,"))
    return body[:at] + value + body[at:]


def _wire_bomb(body: bytes, draw: Draw) -> bytes:
    """Deep values, empty fields, and lengths of up to ten bytes, as protobuf has them."""
    deep = b""
    for _ in range(draw.choice((5, 60, 99, 101, 400))):
        deep = wire_field(5, wire_field(1, deep))
    number = draw.randint(1, 15)
    piece = draw.choice(
        (
            wire_field(number, deep),
            wire_field(number, b"") * 20_000,
            bytes([number << 3 | 2]) + varint(draw.choice((2**31 - 1, 2**32, 2**63 - 1, 2**64))),
            bytes([number << 3 | draw.randrange(8)]) * 50,
            wire_field(number, body),
        )
    )
    return _put(body, draw, piece)


def _msgpack_bomb(body: bytes, draw: Draw) -> bytes:
    count = draw.choice((2**16, 2**31 - 1, 2**32 - 1)).to_bytes(4, "big")
    header = draw.choice((b"\xdd", b"\xdf", b"\xc6", b"\xc9", b"\xdb"))
    deep = draw.choice((b"\x91", b"\x81\xa1a", b"\x81")) * draw.choice((100, 511, 600, 9_000))
    others = (b"\x80" * 9_000, b"\xc1", b"\xd7\xff" + b"\xff" * 8)
    return _put(body, draw, draw.choice((header + count, deep, *others)))


def _snappy_lie(body: bytes, draw: Draw) -> bytes:
    """Another length before the block, which says how much memory to take."""
    return varint(draw.choice((0, 1, 2**20, 2**31, 2**32 - 1, 2**35))) + body[draw.choice((0, 1, 2)) :]


def _octets_lie(body: bytes, draw: Draw) -> bytes:
    lie = draw.choice((b"0 <", b"1 <", b"999999999 <", b"99999999999 <", b"-1 <", b" 5 <34>", b"7 <"))
    return _put(body, draw, lie)


def _syslog_bomb(body: bytes, draw: Draw) -> bytes:
    piece = draw.choice((b'[a b="' * 900, b"[a]" * 3_000, b"\\" * 9_000, b"<" * 900, b"<999>1 ", b"- " * 900))
    return _put(body, draw, piece)


def _length_lie(body: bytes, draw: Draw) -> bytes:
    """A field of the journal with a length of 64 bits."""
    length = draw.choice((0, 1, 2**20, 2**40, 2**63, 2**64 - 1)).to_bytes(8, "little")
    return _put(body, draw, b"A\n" + length + draw.choice((b"", b"x\n", b"\n")))


_JSON = (_json_bomb, _json_value)


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _otlp_count(body: bytes) -> int | None:
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError:
        return None
    return sum(len(scope.log_records) for logs in request.resource_logs for scope in logs.scope_logs)


def _elements(body: bytes) -> int | None:
    found = _parsed(body)
    return len(found) if isinstance(found, list) else None


def _lines(body: bytes) -> int:
    return sum(bool(line.strip()) for line in BytesIO(body))


def _otlp() -> bytes:
    made = ExportLogsServiceRequest()
    logs = made.resource_logs.add()
    logs.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = logs.scope_logs.add()
    scope.scope.name = "cart"
    for number in range(3):
        record = scope.log_records.add(time_unix_nano=1_795_946_400_123_456_789, severity_number=9)
        record.body.string_value = "\u00e9"
        record.trace_id = bytes(16)
        record.attributes.add(key="n").value.int_value = number
        record.attributes.add(key="l").value.array_value.values.add().kvlist_value.values.add(key="a")
    return made.SerializeToString()


_OTLP_JSON = {
    "resourceLogs": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
            "scopeLogs": [
                {
                    "scope": {"name": "cart"},
                    "logRecords": [
                        {
                            "timeUnixNano": "1795946400123456789",
                            "severityNumber": 9,
                            "body": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}]}},
                            "attributes": [{"key": "d", "value": {"doubleValue": 0.5}}],
                            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                        },
                        {"observedTimeUnixNano": 1795946400123456789, "body": {"stringValue": "b"}},
                    ],
                }
            ],
        }
    ]
}
_PUSH = stream(
    '{app="shop", level="warn", x="\\n"}',
    entry(1_795_946_400_123_456_789, b"one", trace_id="t", n="1"),
    entry(1, b"\xff two"),
) + stream('{job="b"}', entry(1_795_946_400_000_000_000, b"three"))
_PUSH_JSON = {
    "streams": [
        {"stream": {"app": "shop"}, "values": [["1795946400123456789", "a", {"n": 1}], ["1", "b"]]},
        {"labels": '{job="b"}', "entries": [{"ts": "2026-11-29T10:00:00Z", "line": "c"}]},
    ]
}
_ACTIONS = b"""{"create":{"_index":"logs-2026.11.29","_id":"a1"}}
{"@timestamp":"2026-11-29T10:00:00.5Z","message":"\\u00e9","log":{"level":"warn"},"n":[1,{}]}
{"delete":{"_id":"1"}}
{"index":{}}
{"msg":"b","time":1764410400123,"level":30,"metadata":{"trace_id":"t"}}
"""
_EVENTS = [
    {"message": "a", "timestamp": "2026-11-29T10:00:00.123Z", "level": "warn", "metadata": {"n": 1.5}},
    {"msg": "b", "time": 1795946400123, "x": [{}]},
]
_SUBSCRIPTION = {
    "messageType": "DATA_MESSAGE",
    "logGroup": "g",
    "logEvents": [{"id": "1", "timestamp": 1795946400123, "message": '{"level":"x","msg":"a"}'}],
}
_FLUENT = b"".join(
    msgpack.packb(each)
    for each in (
        [[msgpack.ExtType(0, b"\x6a\x00\x00\x00\x00\x00\x00\x01"), {}], {"log": "a", "k": {"b": b"\xff"}}],
        [[1795946400.5, {"msg": "b"}], {"c": None}],
    )
)

_PROTOBUF = {"content-type": "application/x-protobuf"}
_IN_JSON = {"content-type": "application/json"}
_MSGPACK = {"content-type": "application/msgpack"}

SEEDS: Mapping[str, Seed] = {
    "otlp": Seed("POST /v1/logs", _otlp(), (_wire_bomb,), _PROTOBUF, count=_otlp_count),
    "otlp json": Seed("POST /v1/logs", json.dumps(_OTLP_JSON).encode(), _JSON, _IN_JSON),
    "elastic": Seed("POST /_bulk", _ACTIONS, _JSON, {"content-type": "application/x-ndjson"}),
    "loki": Seed("POST /loki/api/v1/push", _PUSH, (_wire_bomb,), _PROTOBUF, compressed),
    "loki snappy": Seed("POST /loki/api/v1/push", compressed(_PUSH), (_snappy_lie,), _PROTOBUF),
    "loki json": Seed("POST /loki/api/v1/push", json.dumps(_PUSH_JSON).encode(), _JSON, _IN_JSON),
    "splunk": Seed(
        "POST /services/collector/event",
        b'{"event":{"message":{"a":1},"b":"c"},"time":"1795946400.1","fields":{"x":"y"}}{"event":"b"}',
        _JSON,
    ),
    "splunk raw": Seed(
        "POST /services/collector/raw?host=h", b'one\n{"msg":"two","x":[1,{}]}\n', _JSON, count=_lines
    ),
    "datadog": Seed(
        "POST /api/v2/logs",
        b'[{"message":"{\\"msg\\":\\"a\\"}","ddtags":"a:b,c","timestamp":1},{"message":{"a":1}}]',
        _JSON,
    ),
    "logtail": Seed(
        "POST /", b'[{"dt":"2026-11-29T10:00:00Z","message":"a","context":{"x":1}}]', _JSON, count=_elements
    ),
    "logtail msgpack": Seed(
        "POST /",
        msgpack.packb([{"dt": msgpack.Timestamp(1, 2), "message": "a", "context": {"x": b"y"}}, {"m": [1]}]),
        (_msgpack_bomb,),
        _MSGPACK,
    ),
    "axiom": Seed(
        "POST /v1/datasets/shop/ingest",
        b'[{"_time":"2026-11-29T10:00:00Z","message":{"msg":"a"},"service":null},{"created":1,"msecs":2,"levelno":3}]',
        _JSON,
        _IN_JSON,
        count=_elements,
    ),
    "axiom ndjson": Seed(
        "POST /v1/ingest/shop?timestamp-field=at",
        b'{"at":"2026-11-29T10:00:00Z","timestamp":1,"message":"a"}\n{"n":[1,{}]}\n',
        _JSON,
        {"content-type": "application/x-ndjson", "x-axiom-event-labels": '{"env":"prod"}'},
        count=_lines,
    ),
    "fluent msgpack": Seed("POST /v1/drain", _FLUENT, (_msgpack_bomb,), _MSGPACK),
    "firehose": Seed(
        "POST /v1/firehose",
        delivery(json.dumps(_SUBSCRIPTION).encode(), b'{"msg":"a"}{"msg":"b"}', b"text\nlines"),
        _JSON,
    ),
    "firehose record": Seed("POST /v1/firehose", json.dumps(_SUBSCRIPTION).encode(), _JSON, packed=delivery),
    "heroku": Seed(
        "POST /v1/heroku",
        b"49 <190>1 2026-11-29T10:00:00Z h a web.1 - one and a17 <34>1 - h a - two",
        (_octets_lie, _syslog_bomb),
    ),
    "syslog": Seed(
        "POST /v1/syslog",
        b'<165>1 2026-11-29T10:00:00Z h a 1 ID [x y="z\\"" w="v"][b] m\n<34>Oct 11 22:14:15 h su[7]: x\n',
        (_syslog_bomb,),
    ),
    "vercel": Seed(
        "POST /v1/vercel",
        b'[{"message":"a","timestamp":1795946400123,"projectName":"p"},{"proxy":{"method":"GET","path":"/"}}]',
        _JSON,
        count=_elements,
    ),
    "cloudflare": Seed(
        "POST /v1/cloudflare",
        b'{"ClientRequestMethod":"GET","EdgeResponseStatus":200,"EdgeStartTimestamp":1795946400123}\n{"a":1}',
        _JSON,
    ),
    "github": Seed(
        "POST /v1/github",
        b'{"action":"opened","repository":{"full_name":"a/b"},"sender":{"login":"c"}}',
        _JSON,
    ),
    "journald": Seed(
        "POST /v1/journald/upload",
        b"MESSAGE=a\nPRIORITY=3\n\nMESSAGE\n\x03\x00\x00\x00\x00\x00\x00\x00b\nc\nX=1\nX=2\n\n",
        (_length_lie,),
    ),
    "json": Seed("POST /v1/drain", json.dumps(_EVENTS).encode(), _JSON, _IN_JSON, count=_elements),
    "ndjson": Seed(
        "POST /v1/drain",
        b"\n".join(json.dumps(event).encode() for event in _EVENTS),
        _JSON,
        {"content-type": "application/x-ndjson"},
        count=_lines,
    ),
}
"""Decoder -> a good body of it."""
