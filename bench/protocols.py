"""Bar 16: what an event costs in each protocol, and OTLP against the published parser.

From the body to the compressed frame, as bars 1 and 2: decoding, judging, encoding, zstd. The events are the
same, and `POST /v1/drain` with the documented fields is the peer.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from bench.ingest import RECEIPT
from bench.measuring import ROUNDS, Bar, bar, in_turns
from bench.protocol_bodies import EVENTS, SENDERS, otlp, sample
from functions.ingest.accept import Accepted, accept
from functions.ingest.protocols.contract import LogRequest
from functions.ingest.protocols.otlp import protobuf
from functions.ingest.protocols.table import ProtocolTable
from infra.topology import function

BODIES = 4
"""Of each protocol in a round; the same body, because nothing is kept between two."""

DRAIN = "POST /v1/drain"
_PARSE_LIMIT = 2.0


def bars() -> Iterator[Bar]:
    """Bar 16, with a line for each protocol."""
    events = sample()
    table = ProtocolTable.parse(function("ingest").settings["protocols"])
    cores = {name: _core(table, *sender[:2], sender[2](events)) for name, sender in SENDERS.items()}
    micros = _micros(cores)
    method = f"CPU, {BODIES} bodies of {EVENTS} events, medians of {ROUNDS} interleaved rounds"
    for name in SENDERS:
        what = f"ingest core: {name}"
        yield bar("16", what, micros[name], micros[DRAIN], None, method, "µs an event")
    yield from _otlp_bars(otlp(events), method)


def _otlp_bars(body: bytes, method: str) -> Iterator[Bar]:
    micros = _micros(
        {
            "ours": lambda: sum(1 for _ in protobuf.events(body)),
            "parse": lambda: ExportLogsServiceRequest.FromString(body),
            "read": lambda: _read(ExportLogsServiceRequest.FromString(body)),
        }
    )
    for peer, named, limit in (
        ("parse", "opentelemetry-proto's parse alone, no field read", _PARSE_LIMIT),
        ("read", "opentelemetry-proto's parse, and every field read in Python", _PARSE_LIMIT),
    ):
        what = f"OTLP decoded to JSON against {named}"
        yield bar("16", what, micros["ours"], micros[peer], limit, method, "µs an event")


def _core(table: ProtocolTable, route: str, media_type: str, body: bytes) -> Callable[[], Accepted]:
    method, _, path = route.partition(" ")
    path = "/services/collector/event" if route.startswith("POST /services/") else path
    request = LogRequest(
        {
            "routeKey": route,
            "rawPath": path,
            "pathParameters": {"dataset": "bench"},
            "headers": {"content-type": media_type},
            "requestContext": {"requestId": "bench", "http": {"method": method, "path": path}},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
    )
    protocol = table.of(request)

    def run() -> Accepted:
        accepted = accept(protocol.decode(request, protocol.unpack(request)), RECEIPT)
        if accepted.result.rows != EVENTS:
            raise RuntimeError(f"{route} accepted {accepted.result.rows} of {EVENTS} events")
        return accepted

    return run


def _micros(contenders: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    cpu = in_turns({name: _repeated(run) for name, run in contenders.items()})
    return {name: seconds / (BODIES * EVENTS) * 1e6 for name, seconds in cpu.items()}


def _repeated(run: Callable[[], object]) -> Callable[[], None]:
    def run_all() -> None:
        for _ in range(BODIES):
            run()

    return run_all


def _read(request: Any) -> list[Any]:
    """Every field of every record as a Python value: what any reader in Python does first."""
    scopes = [scope for logs in request.resource_logs for scope in logs.scope_logs]
    return [_fields(record) for scope in scopes for record in scope.log_records]


def _fields(record: Any) -> tuple[Any, ...]:
    return (
        record.time_unix_nano,
        record.observed_time_unix_nano,
        record.severity_number,
        record.severity_text,
        _value(record.body),
        {each.key: _value(each.value) for each in record.attributes},
        record.trace_id.hex(),
        record.span_id.hex(),
        record.flags,
        record.event_name,
        record.dropped_attributes_count,
    )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None
