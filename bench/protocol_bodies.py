"""The same events as the clients of each protocol write them, in bodies of 500, after Content-Encoding."""

import base64
import gzip
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import cramjam
import msgpack
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from bench import events

EVENTS = 500
_RECORDS = 5
"""Of a delivery of Firehose, which holds all events."""

_SEVERITIES = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
_PRIORITIES = {"trace": 15, "debug": 15, "info": 14, "warn": 12, "error": 11, "fatal": 10}

Event = dict[str, Any]


def sample() -> list[Event]:
    """The events as a logger writes them, with the fields of their metadata."""
    rows = (json.loads(row) for row in islice(events.rows(EVENTS, "acme"), EVENTS))
    return [_event(row) for row in rows]


def _event(row: Event) -> Event:
    names = ("level", "service", "message", "trace_id", "span_id")
    timestamp = row["timestamp"][:26].replace(" ", "T") + "Z"
    kept = {name: row[name] for name in names if row[name]}
    return {"timestamp": timestamp, **kept, **row["metadata"]}


def _nanoseconds(event: Event) -> int:
    moment = datetime.fromisoformat(event["timestamp"]) - datetime(1970, 1, 1, tzinfo=UTC)
    return (moment.days * 86_400 + moment.seconds) * 10**9 + moment.microseconds * 1000 + 789


def _seconds(event: Event) -> float:
    return _nanoseconds(event) / 10**9


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _rest(event: Event, *names: str) -> Event:
    return {name: value for name, value in event.items() if name not in names}


def _lines(values: Iterator[Any]) -> bytes:
    return b"\n".join(map(_json, values))


def otlp(sample: list[Event]) -> bytes:
    """One resource for each service, as a collector groups them."""
    request = ExportLogsServiceRequest()
    scopes: dict[str, Any] = {}
    for event in sample:
        scope = scopes.get(event["service"]) or _scope(request, event["service"])
        scopes[event["service"]] = scope
        time = _nanoseconds(event)
        record = scope.log_records.add(time_unix_nano=time, observed_time_unix_nano=time + 50_000)
        record.severity_number, record.severity_text = _SEVERITIES[event["level"]], event["level"].upper()
        record.body.string_value = event["message"]
        record.trace_id = bytes.fromhex(event.get("trace_id", ""))
        record.span_id = bytes.fromhex(event.get("span_id", ""))
        for name, value in _attributes(event).items():
            record.attributes.add(key=name).value.string_value = str(value)
    return bytes(request.SerializeToString())


def _scope(request: Any, service: str) -> Any:
    logs = request.resource_logs.add()
    for name, value in {"service.name": service, "k8s.pod.name": f"{service}-7d9f8b6c5-x2x4z"}.items():
        logs.resource.attributes.add(key=name).value.string_value = value
    return logs.scope_logs.add()


def _attributes(event: Event) -> Event:
    return _rest(event, *_COLUMNS)


def _otlp_json(sample: list[Event]) -> bytes:
    return _json({"resourceLogs": [_resource_logs(service, sample) for service in _services(sample)]})


def _services(sample: list[Event]) -> list[str]:
    return sorted({event["service"] for event in sample})


def _resource_logs(service: str, sample: list[Event]) -> Event:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    records = [_otlp_record(event) for event in sample if event["service"] == service]
    return {"resource": resource, "scopeLogs": [{"scope": {}, "logRecords": records}]}


def _otlp_record(event: Event) -> Event:
    attributes = _attributes(event).items()
    return {
        "timeUnixNano": str(_nanoseconds(event)),
        "severityNumber": _SEVERITIES[event["level"]],
        "body": {"stringValue": event["message"]},
        "attributes": [{"key": name, "value": {"stringValue": str(value)}} for name, value in attributes],
        "traceId": event.get("trace_id", ""),
        "spanId": event.get("span_id", ""),
    }


_COLUMNS = ("timestamp", "level", "service", "message", "trace_id", "span_id")


def _drain(sample: list[Event]) -> bytes:
    """The documented fields, and all others in the metadata."""
    return _json({"events": [_documented(event) for event in sample]})


def _documented(event: Event) -> Event:
    named = {name: event[name] for name in _COLUMNS if name in event}
    return {**named, "metadata": _rest(event, *_COLUMNS)}


def _elastic(sample: list[Event]) -> bytes:
    action = b'{"create":{"_index":"logs"}}\n'
    documents = ({"@timestamp": event["timestamp"], **_rest(event, "timestamp")} for event in sample)
    return b"".join(action + _json(document) + b"\n" for document in documents)


def _fluent(sample: list[Event]) -> bytes:
    return b"".join(map(_fluent_event, sample))


def _fluent_event(event: Event) -> bytes:
    seconds, nanoseconds = divmod(_nanoseconds(event), 10**9)
    time = msgpack.ExtType(0, struct.pack(">II", seconds, nanoseconds))
    return bytes(msgpack.packb([[time, {}], _rest(event, "timestamp")]))


def _varint(number: int) -> bytes:
    digits = b""
    while number >= 0x80:
        digits, number = digits + bytes([number & 0x7F | 0x80]), number >> 7
    return digits + bytes([number])


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _loki(sample: list[Event]) -> bytes:
    streams = (
        _field(1, f'{{service_name="{service}"}}'.encode())
        + b"".join(_loki_entry(event) for event in sample if event["service"] == service)
        for service in _services(sample)
    )
    return bytes(cramjam.snappy.compress_raw(b"".join(_field(1, stream) for stream in streams)))


def _loki_entry(event: Event) -> bytes:
    seconds, nanoseconds = divmod(_nanoseconds(event), 10**9)
    time = b"\x08" + _varint(seconds) + b"\x10" + _varint(nanoseconds)
    pairs = (_field(1, name.encode()) + _field(2, str(value).encode()) for name, value in _loki_pairs(event))
    message = event["message"].encode()
    return _field(2, _field(1, time) + _field(2, message) + b"".join(_field(3, pair) for pair in pairs))


def _loki_pairs(event: Event) -> list[tuple[str, Any]]:
    return list(_rest(event, "timestamp", "service", "message").items())


def _loki_json(sample: list[Event]) -> bytes:
    streams = [
        {"stream": {"service_name": service}, "values": _loki_values(service, sample)}
        for service in _services(sample)
    ]
    return _json({"streams": streams})


def _loki_values(service: str, sample: list[Event]) -> list[list[Any]]:
    return [
        [str(_nanoseconds(event)), event["message"], {name: str(value) for name, value in _loki_pairs(event)}]
        for event in sample
        if event["service"] == service
    ]


def _splunk(sample: list[Event]) -> bytes:
    return b"".join(
        _json(
            {
                "time": _seconds(event),
                "event": event["message"],
                "fields": _rest(event, "timestamp", "message"),
            }
        )
        for event in sample
    )


def _datadog(sample: list[Event]) -> bytes:
    named = ({"status": event["level"], **_rest(event, "level")} for event in sample)
    return _json([{"ddsource": "bench", "ddtags": "env:prod,team:cart", **event} for event in named])


def _logtail(sample: list[Event]) -> list[Event]:
    return [{"dt": event["timestamp"], **_rest(event, "timestamp")} for event in sample]


def _axiom(sample: list[Event]) -> bytes:
    return _lines({"_time": event["timestamp"], **_rest(event, "timestamp")} for event in sample)


def _firehose(sample: list[Event]) -> bytes:
    step = len(sample) // _RECORDS
    groups = (sample[at : at + step] for at in range(0, len(sample), step))
    return _json({"records": [{"data": base64.b64encode(_subscription(group)).decode()} for group in groups]})


def _subscription(group: list[Event]) -> bytes:
    logs = [
        {"id": str(number), "timestamp": _nanoseconds(event) // 10**6, "message": _json(event).decode()}
        for number, event in enumerate(group)
    ]
    return gzip.compress(_json({"messageType": "DATA_MESSAGE", "logGroup": "g", "logEvents": logs}), 1)


def _syslog(event: Event) -> bytes:
    data = " ".join(f'{name}="{value}"' for name, value in _attributes(event).items())
    priority = _PRIORITIES[event["level"]]
    head = f"<{priority}>1 {event['timestamp']} web-1 {event['service']} 1 - [bench {data}]"
    return f"{head} {event['message']}".encode()


def _octet_counted(sample: list[Event]) -> bytes:
    return b"".join(b"%d %b" % (len(frame), frame) for frame in map(_syslog, sample))


def _cloudflare(sample: list[Event]) -> bytes:
    return _lines({"Datetime": event["timestamp"], **_rest(event, "timestamp")} for event in sample)


def _vercel(sample: list[Event]) -> bytes:
    return _json([{"projectName": event["service"], **_rest(event, "service")} for event in sample])


def _journal(sample: list[Event]) -> bytes:
    return b"\n".join(map(_journal_entry, sample))


def _journal_entry(event: Event) -> bytes:
    fields = {
        "__REALTIME_TIMESTAMP": _nanoseconds(event) // 1000,
        "PRIORITY": _PRIORITIES[event["level"]] - 8,
        "SYSLOG_IDENTIFIER": event["service"],
        "MESSAGE": event["message"],
        **_attributes(event),
    }
    return "".join(f"{name}={value}\n" for name, value in fields.items()).encode()


JSON, PROTOBUF, MSGPACK = "application/json", "application/x-protobuf", "application/msgpack"

Encoder = Callable[[list[Event]], bytes]

SENDERS: Mapping[str, tuple[str, str, Encoder]] = {
    "POST /v1/drain": ("POST /v1/drain", JSON, _drain),
    "POST /v1/drain, a logger's NDJSON": (
        "POST /v1/drain",
        "application/x-ndjson",
        lambda sample: _lines(iter(sample)),
    ),
    "fluent-bit, MessagePack": ("POST /v1/drain", MSGPACK, _fluent),
    "OTLP, protobuf": ("POST /v1/logs", PROTOBUF, otlp),
    "OTLP, JSON": ("POST /v1/logs", JSON, _otlp_json),
    "Elasticsearch": ("ANY /_bulk", "application/x-ndjson", _elastic),
    "Loki, protobuf": ("POST /loki/api/v1/push", PROTOBUF, _loki),
    "Loki, JSON": ("POST /loki/api/v1/push", JSON, _loki_json),
    "Splunk": ("POST /services/{path+}", JSON, _splunk),
    "Datadog": ("POST /api/v2/logs", JSON, _datadog),
    "Better Stack, JSON": ("POST /", JSON, lambda sample: _json(_logtail(sample))),
    "Better Stack, MessagePack": ("POST /", MSGPACK, lambda sample: bytes(msgpack.packb(_logtail(sample)))),
    "Axiom": ("POST /v1/ingest/{dataset}", "application/x-ndjson", _axiom),
    "Firehose with CloudWatch Logs": ("POST /v1/firehose", JSON, _firehose),
    "Heroku": ("POST /v1/heroku", "application/logplex-1", _octet_counted),
    "syslog": ("POST /v1/syslog", "text/plain", lambda sample: b"\n".join(map(_syslog, sample))),
    "Vercel": ("POST /v1/vercel", JSON, _vercel),
    "Cloudflare": ("POST /v1/cloudflare", "text/plain", _cloudflare),
    "journald": ("POST /v1/journald/upload", "application/vnd.fdo.journal", _journal),
}
"""Protocol -> the topology's route, the content type, and what writes a body. GitHub sends one event each."""
