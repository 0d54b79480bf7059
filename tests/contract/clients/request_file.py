"""Reads a `.http` file of this folder, and encodes its body as the client does. README.md has the form."""

import base64
import gzip
import json
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import cramjam
import msgpack
from backports import zstd
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.unit.ingest.loki_bodies import entry, stream

FOLDER = Path(__file__).parent
NAMES = sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.http"))

_FORM = "# body: "
_LENGTH = "content-length"
_ENCODED = "*"


@dataclass(frozen=True, slots=True)
class RequestFile:
    """`source`: which client, and where its source has this request. `body`: encoded."""

    source: str
    head: str
    body: bytes

    @property
    def declared_length(self) -> int | None:
        """The Content-Length that the file has; None for an encoded body, and without one."""
        value = self._headers().get(_LENGTH)
        return None if value in (None, _ENCODED) else int(str(value))

    def raw(self, key: str) -> bytes:
        """The request as bytes, with an API key."""
        basic = base64.b64encode(f"astralog:{key}".encode()).decode()
        head = self.head.replace("{KEY}", key).replace("{BASIC}", basic)
        lines = [_with_length(line, len(self.body)) for line in head.split("\n")]
        return "\r\n".join([*lines, "", ""]).encode() + self.body

    def _headers(self) -> dict[str, str]:
        pairs = (line.partition(":") for line in self.head.split("\n")[1:])
        return {name.lower(): value.strip() for name, _, value in pairs}


_LENGTH_LINE = re.compile(rb"content-length: \d++", re.IGNORECASE)


def read(name: str, old: str = "", new: str = "") -> RequestFile:
    """The request of `<client>/<name>`, with `old` in its body replaced by `new`."""
    head, _, body = (FOLDER / f"{name}.http").read_bytes().partition(b"\n\n")
    if old:
        body = _replaced(body, old, new)
        head = _LENGTH_LINE.sub(b"Content-Length: *", head)
    lines = head.decode().split("\n")
    notes = [line for line in lines if line.startswith("#")]
    (form,) = (line.removeprefix(_FORM) for line in notes if line.startswith(_FORM))
    source = " ".join(line.removeprefix("# ") for line in notes if not line.startswith(_FORM))
    encoded = body
    for step in form.split():
        encoded = _STEPS[step](encoded)
    return RequestFile(source, "\n".join(lines[len(notes) :]), encoded)


def _replaced(body: bytes, old: str, new: str) -> bytes:
    if old.encode() not in body:
        raise ValueError(f"the body does not have {old}")
    return body.replace(old.encode(), new.encode())


def _with_length(line: str, length: int) -> str:
    name, _, value = line.partition(":")
    is_encoded = name.lower() == _LENGTH and value.strip() == _ENCODED
    return f"{name}: {length}" if is_encoded else line


def _fluent(body: bytes) -> bytes:
    """fluent-bit's log events: [[EventTime, {}], record], one after another."""
    return b"".join(_log_event(*json.loads(line)) for line in body.splitlines())


def _log_event(seconds: int, nanoseconds: int, record: Mapping[str, object]) -> bytes:
    time = msgpack.ExtType(0, struct.pack(">II", seconds, nanoseconds))
    return bytes(msgpack.packb([[time, {}], record]))


def _loki(body: bytes) -> bytes:
    streams = [json.loads(line) for line in body.splitlines()]
    return b"".join(
        stream(
            each["labels"],
            *[entry(time, line.encode(), **metadata) for time, line, metadata in each["entries"]],
        )
        for each in streams
    )


def _otlp(body: bytes) -> bytes:
    """OTLP's JSON has ids in hexadecimal, and protobuf's in base64."""
    request = json.loads(body)
    for logs in request["resourceLogs"]:
        for scope in logs["scopeLogs"]:
            for record in scope["logRecords"]:
                for name in ("traceId", "spanId"):
                    record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    return bytes(json_format.ParseDict(request, ExportLogsServiceRequest()).SerializeToString())


def _firehose(body: bytes) -> bytes:
    records = [{"data": base64.b64encode(gzip.compress(line)).decode()} for line in body.splitlines()]
    delivery = {"requestId": "ed4acda5-034f-9f42-bba1-f29aea6d7d8f", "timestamp": 1_795_946_402_000}
    return json.dumps({**delivery, "records": records}, separators=(",", ":")).encode()


_STEPS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {
        "text": bytes,
        "fluent": _fluent,
        "loki": _loki,
        "otlp": _otlp,
        "firehose": _firehose,
        "gzip": gzip.compress,
        "zstd": zstd.compress,
        "snappy": lambda body: bytes(cramjam.snappy.compress_raw(body)),
    }
)
