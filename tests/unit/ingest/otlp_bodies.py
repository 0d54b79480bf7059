"""Hostile bodies of OTLP, sent through the handler in a process of their own (tests.measured)."""

from typing import Any

from tests.unit.ingest import hostile


def field(number: int, content: bytes) -> bytes:
    """A field with a length, in protobuf's wire format."""
    length, varint = len(content), b""
    while length >= 0x80:
        varint, length = varint + bytes([length & 0x7F | 0x80]), length >> 7
    return bytes([number << 3 | 2]) + varint + bytes([length]) + content


def in_scope(records: bytes) -> bytes:
    return field(1, field(2, records))


def bodies() -> dict[str, Any]:
    """Name -> media type, and a function that makes the body."""
    value = b""
    for _ in range(20_000):
        value = field(5, field(1, value))
        if len(value) > 500_000:
            break
    return {
        "empty records": ("protobuf", lambda: in_scope(field(2, b"") * 30_000_000)),
        "deep values": ("protobuf", lambda: in_scope(field(2, field(5, value)) * 100)),
        "many values": (
            "protobuf",
            lambda: in_scope(field(2, field(5, field(5, field(1, b"") * 500_000))) * 60),
        ),
        "empty messages": ("protobuf", lambda: field(1, field(2, b"")) * 15_000_000),
        "empty records in JSON": (
            "json",
            lambda: b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b"{}," * 600_000 + b"{}]}]}]}",
        ),
        "commas": ("json", lambda: b'{"resourceLogs":[' + b"1," * 1_900_000 + b"1]}"),
    }


def send(name: str) -> int:
    """The status of the answer."""
    kind, make = bodies()[name]
    media_type = f"application/{'x-protobuf' if kind == 'protobuf' else 'json'}"
    return hostile.send(make(), "POST /v1/logs", media_type)
