"""Bar 8, for files: the cost of turning a file into staged objects, without bucket and network.

Compared with reading and decompressing alone, the minimum for any implementation, and with what Elastic's
serverless forwarder does with the same file: lines, for each an event of nested dictionaries with a hash as
id, a bulk body of JSON, gzip. CPU is user + system of this process, all threads.
"""

import gzip
import hashlib
import json
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, cast

from bench import events
from bench.ingest import _event
from bench.measuring import Bar, bar, in_turns
from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.tenancy import TenantId
from functions.uploads.file_reader import FileReader
from functions.uploads.files import File
from functions.uploads.register import UploadRegister

EVENTS = 150_000
MEGABYTE = 1_000_000
PIECE_BYTES = 1024 * 1024
BULK_BYTES = 5 * MEGABYTE
_LIMITS = {"NDJSON": 0.07, "lines": 0.14}
"""The highest share of Elastic's CPU: 1/7, as docs/performance.md explains."""


class _Nowhere:
    """A bucket that accepts everything and stores nothing."""

    def create(self, _key: str, body: bytes, _attributes: Mapping[str, str] | None = None) -> str:
        return str(len(body))

    def delete(self, _keys: Sequence[str]) -> None:
        """Checkpoints, which a slow machine writes: there are none."""


class _Unwritten:
    """A register that accepts every change."""

    def note(self, file: File, *, keeps_lease: bool) -> File:
        return replace(file, lease_until=int(keeps_lease))


class _Open:
    """An account without a cap."""

    def halt(self) -> None:
        return None

    def staged(self, raw_bytes: int) -> None:
        """Count nothing."""


class _Ranges:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size_bytes = len(data)

    def read(self, start: int, length: int) -> bytes:
        return self._data[start : start + length]


def bars() -> Iterator[Bar]:
    """NDJSON as a log agent writes it to S3, and plain lines, which nothing has parsed yet."""
    for name, text in (("NDJSON", _ndjson()), ("lines", _lines())):
        packed = gzip.compress(text, 6)
        spent = in_turns(
            {
                "ours": lambda packed=packed: _read(packed),  # type: ignore[misc]
                "floor": lambda packed=packed: _decompressed(packed),  # type: ignore[misc]
                "elastic": lambda packed=packed: _as_elastic(packed),  # type: ignore[misc]
            }
        )
        rate = {each: len(text) / MEGABYTE / seconds for each, seconds in spent.items()}
        rates = ", ".join(f"{each} {value:.0f}" for each, value in rate.items())
        method = f"{EVENTS} events, {len(text) / MEGABYTE:.0f} MB, gzip 6; MB of text a CPU-second: {rates}"
        what = f"a file of {name}, gzip, into staged objects"
        yield bar(
            f"8 {name}",
            f"{what}, against Elastic's way",
            spent["ours"],
            spent["elastic"],
            _LIMITS[name],
            method,
            "CPU-s",
        )
        yield bar(
            f"8 {name} floor",
            f"{what}, against reading it",
            spent["ours"],
            spent["floor"],
            None,
            method,
            "CPU-s",
        )


def _ndjson() -> bytes:
    rows = islice(events.rows(EVENTS, "acme"), EVENTS)
    return b"".join(
        json.dumps(_event(json.loads(row)), separators=(",", ":")).encode() + b"\n" for row in rows
    )


def _lines() -> bytes:
    """The same events as lines of a Java service."""
    lines: list[str] = []
    for row in islice(events.rows(EVENTS, "acme"), EVENTS):
        event = json.loads(row)
        moment = event["timestamp"][:23].replace("T", " ").replace(".", ",")
        lines.append(
            f"{moment} {event['level'].upper()} [http-{len(lines) % 50}] com.shop.{event['service']}: "
        )
        lines[-1] += event["message"]
    return "\n".join(lines).encode()


def _read(packed: bytes) -> None:
    dropped = DroppedFile("drop", "dropin/v1/tenant=acme/x", "e", len(packed))
    file = File(TenantId("acme"), "u", dropped, datetime(2026, 11, 2, tzinfo=UTC), "shop", 30, "keep")
    reading = FileReader(
        file,
        _Ranges(packed),
        cast(Bucket, _Nowhere()),
        cast(UploadRegister, _Unwritten()),
        _Open(),
        lambda: 1e9,
        time.monotonic,
    )
    assert reading.run()
    assert reading.file.rows == EVENTS, reading.file


def _decompressed(packed: bytes) -> None:
    step = zlib.decompressobj(31)
    for at in range(0, len(packed), PIECE_BYTES):
        step.decompress(packed[at : at + PIECE_BYTES])


def _as_elastic(packed: bytes) -> None:
    """The work of its code on an S3 object, reproduced from reading it; without the HTTP request."""
    step, rest, offset = zlib.decompressobj(31), b"", 0
    actions: list[dict[str, Any]] = []
    size = 0
    for at in range(0, len(packed), PIECE_BYTES):
        *lines, rest = (rest + step.decompress(packed[at : at + PIECE_BYTES])).split(b"\n")
        for line in lines:
            action = _elastic_event(line, offset)
            offset += len(line) + 1
            actions.append(action)
            size += len(line)
            if size >= BULK_BYTES:
                _sent(actions)
                actions, size = [], 0
    if rest:
        actions.append(_elastic_event(rest, offset))
    _sent(actions)


def _elastic_event(line: bytes, offset: int) -> dict[str, Any]:
    text = line.decode("utf-8")
    if text.startswith("{"):
        json.loads(text)  # it checks whether a line is JSON, to find the end of an event
    name = hashlib.sha256(f"arn:aws:s3:::drop/x-{offset}".encode()).hexdigest()[:10]
    return {
        "_op_type": "create",
        "_index": "logs-generic-default",
        "_id": f"1793577600000-{name}-{offset:012d}",
        "_source": {
            "@timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "message": text,
            "log": {"offset": offset, "file": {"path": "https://drop.s3.us-east-1.amazonaws.com/x"}},
            "aws": {"s3": {"bucket": {"name": "drop", "arn": "arn:aws:s3:::drop"}, "object": {"key": "x"}}},
            "cloud": {"provider": "aws", "region": "us-east-1", "account": {"id": "123456789012"}},
            "data_stream": {"type": "logs", "dataset": "generic", "namespace": "default"},
            "event": {"dataset": "generic", "original": text},
            "tags": ["forwarded", "generic"],
        },
    }


def _sent(actions: list[dict[str, Any]]) -> bytes:
    lines: list[str] = []
    for action in actions:
        head = {"create": {"_index": action["_index"], "_id": action["_id"]}}
        lines += (json.dumps(head), json.dumps(action["_source"], ensure_ascii=False))
    return gzip.compress("\n".join(lines).encode(), 6)
