"""Bars 1 to 4: the cost of ingest, against a floor, against common implementations, and at cold start.

CPU is user + system of this process, all threads. The contenders take turns, and medians are compared.
"""

import base64
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from statistics import median
from typing import Any

import boto3
import msgspec
import pydantic
from backports import zstd

from bench import events
from bench.measuring import ROUNDS, Bar, bar, in_turns
from bench.s3_sink import sink
from functions.ingest import handler as ingest_handler
from functions.ingest.accept import accept
from functions.ingest.metrics import AcceptedLines
from functions.ingest.protocols import json as json_protocol
from functions.ingest.protocols.contract import LogRequest
from functions.ingest.rate_limit import RateLimit
from functions.ingest.staging_writer import StagingWriter
from functions.shared.buckets.contract import Bucket
from functions.shared.buckets.customer import CustomerBucket
from functions.shared.buckets.platform import open_bucket
from functions.shared.events.row import ReceiptContext
from functions.shared.tenancy import TenantId
from infra.topology import function

RECEIPT = ReceiptContext(TenantId("acme"), "shop", datetime(2026, 11, 2, tzinfo=UTC), 30)
REQUEST = LogRequest(
    {
        "routeKey": "POST /v1/drain",
        "headers": {"content-type": "application/json"},
        "requestContext": {"requestId": "bench"},
    }
)
_OURS = {"tenant_id", "received_at", "project_id", "object_id", "position"}


def bodies(events_each: int, count: int = 20) -> list[bytes]:
    """`count` bodies for POST /v1/drain with `events_each` events each, as a typical client writes them."""
    source = events.rows(events_each * count, "acme")
    return [_body(list(islice(source, events_each))) for _ in range(count)]


def _body(rows: list[bytes]) -> bytes:
    return json.dumps({"events": [_event(json.loads(row)) for row in rows]}, separators=(",", ":")).encode()


def _event(row: dict[str, Any]) -> dict[str, Any]:
    """The event as sent: without the columns we add, with the origin fields that log agents add."""
    sent = {name: value for name, value in row.items() if name not in _OURS and value != ""}
    pod = f"{row['service']}-{row['span_id'][:9] or '7d9f8b6c5'}"
    place = {"pod": pod, "node": "ip-10-0-3-17.internal", "version": "2026.11.3"}
    return {
        **sent,
        "timestamp": row["timestamp"][:26].replace(" ", "T") + "Z",
        "metadata": {
            **row["metadata"],
            "pod": place,
            "node": "ip-10-0-3-17.internal",
            "version": "2026.11.3",
        },
    }


def core(body: bytes) -> bytes:
    """The handler's work between the decoded body and the PUT."""
    return accept(json_protocol.PROTOCOL.decode(REQUEST, iter((body,))), RECEIPT).package.frames


class _Scanned(msgspec.Struct):
    events: list[msgspec.Raw]


_scan = msgspec.json.Decoder(_Scanned)


def floor(body: bytes) -> bytes:
    """The minimum: find the events, compress them."""
    return zstd.compress(b"\n".join(_scan.decode(body).events), 1)


def plain(body: bytes) -> bytes:
    """json, fromisoformat, gzip: the implementation of most shippers and gateways."""
    lines = []
    for event in json.loads(body)["events"]:
        event["timestamp"] = datetime.fromisoformat(event["timestamp"]).isoformat()
        lines.append(json.dumps({**event, **_COMMON}))
    return gzip.compress("\n".join(lines).encode(), 6)


class _Model(pydantic.BaseModel):
    message: str
    timestamp: datetime
    level: str = "info"
    service: str = ""
    trace_id: str = ""
    span_id: str = ""
    metadata: dict[str, Any] = {}


class _Models(pydantic.BaseModel):
    events: list[_Model]


def modelled(body: bytes) -> bytes:
    """pydantic models in, their JSON out, zstd."""
    lines = [json.dumps({**event.model_dump(mode="json"), **_COMMON}) for event in _parse(body)]
    return zstd.compress("\n".join(lines).encode(), 1)


def _parse(body: bytes) -> list[_Model]:
    return _Models.model_validate_json(body).events


_COMMON = {"tenant_id": "acme", "project_id": "shop", "received_at": "2026-11-02T00:00:00.000000Z"}


def core_bars() -> Iterator[Bar]:
    """Bars 1 and 2."""
    some = bodies(500)
    count = 500 * len(some)
    size = sum(map(len, some)) / count
    contenders = {"ours": core, "floor": floor, "plain": plain, "modelled": modelled}
    cpu = in_turns({name: _all(run, some) for name, run in contenders.items()})
    micros = {name: seconds / count * 1e6 for name, seconds in cpu.items()}
    method = f"CPU, {len(some)} bodies of 500 events of {size:.0f} B, medians of {ROUNDS} interleaved rounds"
    for number, peer, named, limit in (
        ("1", "floor", "msgspec scan into list[Raw] + zstd 1", 2.0),
        ("2a", "plain", "json + fromisoformat + gzip 6", 0.13),
        ("2b", "modelled", "pydantic + zstd 1", 0.13),
    ):
        what = f"ingest core against {named}"
        yield bar(number, what, micros["ours"], micros[peer], limit, method, "µs an event")


def _all(run: Callable[[bytes], bytes], some: list[bytes]) -> Callable[[], None]:
    def run_all() -> None:
        for body in some:
            run(body)

    return run_all


def handler_bar() -> Iterator[Bar]:
    """Bar 3."""
    some = [_http_event(body) for body in bodies(100, 100)]
    with sink() as endpoint:
        os.environ.update(_credentials(endpoint))
        ours = _ingest(open_bucket("sink"))
        peer = _ingest(CustomerBucket(boto3.client("s3"), "sink"))
        cpu = in_turns({"ours": _requests(some, ours), "boto3": _requests(some, peer)})
    millis = {name: seconds / len(some) * 1e3 for name, seconds in cpu.items()}
    method = f"CPU, {len(some)} requests of 100 events, PUT to a loopback sink, medians of {ROUNDS} rounds"
    what = "whole ingest handler against the same with boto3's put_object"
    yield bar("3", what, millis["ours"], millis["boto3"], 0.35, method, "ms a request")


def requests_ms(some: list[bytes]) -> float:
    """CPU of the whole handler for one of these bodies, the PUT included, in milliseconds."""
    with sink() as endpoint:
        os.environ.update(_credentials(endpoint))
        run = _requests([_http_event(body) for body in some], _ingest(open_bucket("sink")))
        return in_turns({"ours": run})["ours"] / len(some) * 1000


def _ingest(bucket: Bucket) -> ingest_handler.Ingest:
    """As the handler wires it, with as few log lines; no request is over its rate."""
    rate = RateLimit(lambda: time.monotonic() * 1_000_000)
    lines = AcceptedLines(int(function("ingest").settings["requests_a_line"]))
    return ingest_handler.Ingest(StagingWriter(bucket), rate, lines=lines)


def _requests(some: list[dict[str, Any]], ingest: ingest_handler.Ingest) -> Callable[[], None]:
    def run_all() -> None:
        for event in some:
            answered = ingest_handler.answer_to(event, ingest)
            if answered["statusCode"] != 202:
                raise RuntimeError(f"the handler answered {answered['statusCode']}")

    return run_all


def _http_event(body: bytes) -> dict[str, Any]:
    caller = {
        "verdict": "ok",
        "tenant_id": "acme",
        "key_id": "k1",
        "project_id": "shop",
        "scopes": "ingest",
        "retention_days": "30",
        "bytes_per_second": str(10**12),
        "actor": "key:key_1",
        "plan": "managed_30",
        "refusal": "",
    }
    return {
        "routeKey": "POST /v1/drain",
        "rawPath": "/v1/drain",
        "headers": {"content-type": "application/json", "content-encoding": "gzip"},
        "requestContext": {
            "requestId": "bench",
            "http": {"method": "POST", "path": "/v1/drain"},
            "authorizer": {"lambda": caller},
        },
        "body": base64.b64encode(gzip.compress(body, 6)).decode(),
        "isBase64Encoded": True,
    }


def _credentials(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
    }


COLD = {
    "boto3": "import boto3; boto3.client('s3')",
    "ingest": "from functions.ingest import handler; handler.open_bucket('b')",
    "authorizer": "from functions.accounts import authorizer; "
    "from functions.shared.signed_json_client import connect; connect('https', 'h', 1)",
    "query": "from functions.query import handler; "
    "from functions.shared.signed_json_client import connect; connect('https', 'h', 1)",
    "sync": "from functions.sync import handler; handler.open_bucket('b'); "
    "from functions.shared.signed_json_client import connect; connect('https', 'h', 1)",
}
"""The import of a handler, and the clients that its first call makes."""

_COLD_LIMITS = {"ingest": ("4", 0.22), "authorizer": ("4b", 0.6), "query": ("4b", 1.0), "sync": ("4b", 1.0)}


def import_bars() -> Iterator[Bar]:
    """Bars 4 and 4b."""
    times: dict[str, list[float]] = {name: [] for name in COLD}
    for _ in range(ROUNDS + 1):
        for name, statement in COLD.items():
            times[name].append(_cold_ms(statement))
    medians = {name: median(runs[1:]) for name, runs in times.items()}
    method = f"CPU in a fresh interpreter, its own start excluded, medians of {ROUNDS} interleaved rounds"
    for name, (number, limit) in _COLD_LIMITS.items():
        what = f"cold import of {name} and its clients against boto3 and its S3 client"
        yield bar(number, what, medians[name], medians["boto3"], limit, method, "ms")


def _cold_ms(statement: str) -> float:
    timed = f"import time; t = time.process_time(); {statement}; print((time.process_time() - t) * 1000)"
    command = [sys.executable, "-c", timed]
    printed = subprocess.run(command, env=cold_environment(), capture_output=True, check=True)
    return float(printed.stdout)


def cold_environment() -> dict[str, str]:
    """As on Lambda: nothing of this machine's environment, such as paths of certificates of its own."""
    return {"PATH": os.environ.get("PATH", ""), **_credentials("http://127.0.0.1:9")}
