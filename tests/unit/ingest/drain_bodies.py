"""Hostile bodies of the protocols, sent through the handler in a process of their own (tests.measured)."""

import base64
import gzip
import json
from collections.abc import Callable

from tests.unit.ingest.hostile import status_of
from tests.unit.ingest.sending import event_to

MIB = 2**20
SPLUNK = "POST /services/collector/event"
RAW = "POST /services/collector/raw"
DATADOG = "POST /api/v2/logs"
FIREHOSE = "POST /v1/firehose"
MSGPACK = {"content-type": "application/msgpack"}
NDJSON = {"content-type": "application/x-ndjson"}
LOGTAIL = "POST /"
AXIOM = "POST /v1/datasets/shop/ingest"

Body = tuple[str, dict[str, str], Callable[[], bytes]]


def delivery(*records: bytes) -> bytes:
    encoded = [{"data": base64.b64encode(record).decode()} for record in records]
    return json.dumps({"records": encoded}).encode()


def nested(depth: int) -> bytes:
    return b'{"event":' + b'{"message":' * depth + b"1" + b"}" * depth + b"}"


BODIES: dict[str, Body] = {
    "splunk: empty objects": (SPLUNK, {}, lambda: b"{}" * (30 * MIB)),
    "splunk: blanks": (SPLUNK, {}, lambda: b" " * (60 * MIB)),
    "splunk: deep": (SPLUNK, {}, lambda: b'{"event":' * (6 * MIB)),
    "splunk: messages in messages": (SPLUNK, {}, lambda: nested(90) * 60_000),
    "splunk: one value": (SPLUNK, {}, lambda: b'{"event":[' + b"0," * (30 * MIB) + b"0]}"),
    "splunk: fields": (SPLUNK, {}, lambda: b'{"event":"a","fields":{' + b'"":0,' * 400_000 + b'"":0}}'),
    "raw: blank lines": (RAW, {}, lambda: b"\n" * (60 * MIB)),
    "raw: white space": (RAW, {}, lambda: b" \n\t" * (20 * MIB)),
    "raw: short lines": (RAW, {}, lambda: b"x\n" * (30 * MIB)),
    "raw: wide envelope": (f"{RAW}?host={'h' * 4000}", {}, lambda: b"x\n" * 190_000),
    "datadog: empty objects": (DATADOG, {}, lambda: b"[" + b"{}," * (20 * MIB) + b"{}]"),
    "datadog: tags": (
        DATADOG,
        {},
        lambda: b'{"message":"a","ddtags":"' + b"a:b," * (60 * 1024 // 4) + b'"}' + b" " * (20 * MIB),
    ),
    "datadog: JSON in JSON": (
        DATADOG,
        {},
        lambda: json.dumps({"message": json.dumps({"x": [[]] * 300_000})}).encode() * 20,
    ),
    "msgpack: empty maps": ("POST /v1/drain", MSGPACK, lambda: b"\x80" * (16 * MIB)),
    "msgpack: a map of maps": (
        "POST /v1/drain",
        MSGPACK,
        lambda: (b"\x81\xa1a\xdd" + (MIB - 64).to_bytes(4, "big") + b"\x80" * (MIB - 64)) * 16,
    ),
    "msgpack: a count that lies": ("POST /v1/drain", MSGPACK, lambda: b"\xdd\xff\xff\xff\xff" * (3 * MIB)),
    "msgpack: deep": (LOGTAIL, MSGPACK, lambda: b"\x91" * (16 * MIB)),
    "msgpack: deep records": (LOGTAIL, MSGPACK, lambda: (b"\x81\xa1a" * 500 + b"\xc0") * 10_000),
    "logtail: deep": (LOGTAIL, {}, lambda: b"[" * (60 * MIB)),
    "axiom: empty objects": (AXIOM, {}, lambda: b"[" + b"{}," * (20 * MIB) + b"{}]"),
    "axiom: blank lines": (AXIOM, NDJSON, lambda: b"\n" * (60 * MIB)),
    "axiom: lines that are none": (AXIOM, NDJSON, lambda: b"{\n" * (30 * MIB)),
    "axiom: labels": (
        AXIOM,
        {"x-axiom-event-labels": json.dumps({"label": "l" * 4000})},
        lambda: b'[{"a":1}' + b',{"a":1}' * 190_000 + b"]",
    ),
    "axiom: messages in messages": (
        AXIOM,
        NDJSON,
        lambda: (b'{"message":' * 90 + b"1" + b"}" * 90 + b"\n") * 60_000,
    ),
    "firehose: bombs": (FIREHOSE, {}, lambda: delivery(*[gzip.compress(b"{}" * (2 * MIB))] * 40)),
    "firehose: many records": (FIREHOSE, {}, lambda: delivery(*[gzip.compress(b"x")] * 90_000)),
    "firehose: many events": (
        FIREHOSE,
        {},
        lambda: delivery(
            gzip.compress(
                b'{"messageType":"DATA_MESSAGE","logEvents":[' + b"{}," * (3 * MIB) + b'{}],"logGroup":"g"}'
            )
        ),
    ),
    "firehose: wide origin": (
        FIREHOSE,
        {},
        lambda: delivery(
            gzip.compress(
                b'{"messageType":"DATA_MESSAGE","logEvents":['
                + b"{}," * 150_000
                + b'{}],"logGroup":"'
                + b"g" * 4000
                + b'"}'
            )
        ),
    ),
    "syslog: blank lines": ("POST /v1/syslog", {}, lambda: b"\n" * (16 * MIB)),
    "syslog: tiny frames": ("POST /v1/syslog", {}, lambda: b"1 <" * (5 * MIB)),
    "syslog: structured data": (
        "POST /v1/syslog",
        {},
        lambda: b"<1>1 - - - - - " + b'[a b="' * (2 * MIB),
    ),
    "syslog: backslashes": ("POST /v1/syslog", {}, lambda: b'<1>1 - - - - - [a b="' + b"\\" * (1024 * 1000)),
    "syslog: elements": ("POST /v1/syslog", {}, lambda: (b"<1>1 - - - - - " + b"[a]" * 300_000 + b"\n") * 15),
    "heroku: a count that lies": ("POST /v1/heroku", {}, lambda: b"999999999 <1>"),
    "journald: short fields": ("POST /v1/journald/upload", {}, lambda: b"A=\n" * (5 * MIB)),
    "journald: short entries": ("POST /v1/journald/upload", {}, lambda: b"A=\n\n" * (4 * MIB)),
    "journald: names": (
        "POST /v1/journald/upload",
        {},
        lambda: b"".join(b"%d=\n" % number for number in range(990_000)),
    ),
    "journald: a length that lies": (
        "POST /v1/journald/upload",
        {},
        lambda: b"A\n" + b"\xff" * 7 + b"\x7f" + b"x" * MIB,
    ),
    "cloudflare: blanks": ("POST /v1/cloudflare", {}, lambda: b"\n" * (60 * MIB)),
    "cloudflare: test uploads": ("POST /v1/cloudflare", {}, lambda: b'{"content":"tests"}\n' * (3 * MIB)),
    "github: a form": (
        "POST /v1/github",
        {"content-type": "application/x-www-form-urlencoded"},
        lambda: b"payload=%7B" + b"%5B" * (20 * MIB),
    ),
    "vercel: half an array": ("POST /v1/vercel", {}, lambda: b"[" + b"{}," * (20 * MIB)),
}


def send_hostile(name: str) -> int:
    """The status of the answer to a body of BODIES."""
    url, headers, make = BODIES[name]
    body = gzip.compress(make(), 1)
    event = event_to(url, body, {**headers, "content-encoding": "gzip"})
    return status_of(event)
