"""The view `otel_logs` in a customer's database: events as the OpenTelemetry Collector's ClickHouse exporter
stores logs, for tools that read its table (docs/byoc.md, docs/adr/0046-view-for-opentelemetry-tools.md).

Columns that tools filter by are columns of `events` as they are, so that the engine uses its indexes. Maps
are made of the metadata of the rows that a query shows. A view or table of this name that exists is left as
it is: it may be the Collector's own.
"""

from functions.shared.events.levels import CANONICAL
from functions.shared.warehouse import Warehouse, WarehouseRefusedError

VIEW = "otel_logs"

RESOURCE_PREFIXES = (
    "resource.", "service.", "host.", "k8s.", "container.", "cloud.", "deployment.", "process.", "os.",
    "telemetry.", "device.", "faas.", "aws.", "gcp.", "azure.",
)  # fmt: skip
"""Prefixes of the keys of resources in OpenTelemetry's conventions; our metadata has them with all others."""

PROJECT_KEY = "astralog.project"

_SCOPE_PREFIX = "scope."
_SCOPE_COLUMNS = ("scope.name", "scope.version")
_OWN_COLUMNS = (*_SCOPE_COLUMNS, "trace_flags", "event_name")

_ATTRIBUTES = "Map(LowCardinality(String), String)"
_PAIRS = (
    "arrayMap(pair -> (pair.1, if(startsWith(pair.2, '\"'), JSONExtractString(pair.2), pair.2)), "
    "JSONExtractKeysAndValuesRaw(metadata))"
)
_IS_RESOURCE = f"match(pair.1, '^({'|'.join(each.replace('.', '[.]') for each in RESOURCE_PREFIXES)})')"
_IS_SCOPE = f"startsWith(pair.1, '{_SCOPE_PREFIX}')"
_HAS_COLUMN = f"pair.1 IN {_OWN_COLUMNS}"
_OWN_RESOURCE = (
    f"arrayFilter(pair -> pair.2 != '', [('service.name', service), ('{PROJECT_KEY}', project_id)])"
)
_NAMED_AGAIN = f"(pair.1 = 'service.name' AND service != '' OR pair.1 = '{PROJECT_KEY}')"


def _map(pairs: str) -> str:
    return f"CAST({pairs} AS {_ATTRIBUTES})"


def _severity_number() -> str:
    """The number that was sent, or the first of the level, which ingest does not keep."""
    numbers = [4 * at + 1 for at in range(len(CANONICAL))]
    sent = "JSONExtractUInt(metadata, 'severity_number')"
    of_level = f"transform(level, {list(CANONICAL)}, {numbers}, 0)"
    return f"CAST(if({sent} BETWEEN 1 AND {4 * len(CANONICAL)}, {sent}, {of_level}) AS UInt8)"


COLUMNS = {
    "Timestamp": "timestamp",
    "TraceId": "trace_id",
    "SpanId": "span_id",
    "TraceFlags": "toUInt8(bitAnd(JSONExtractUInt(metadata, 'trace_flags'), 255))",
    "SeverityText": "upper(level)",
    "SeverityNumber": _severity_number(),
    "ServiceName": "service",
    "Body": "message",
    "ResourceSchemaUrl": "CAST('' AS LowCardinality(String))",
    "ResourceAttributes": _map(
        f"arrayConcat({_OWN_RESOURCE}, arrayFilter(pair -> {_IS_RESOURCE} AND NOT {_NAMED_AGAIN}, {_PAIRS}))"
    ),
    "ScopeSchemaUrl": "CAST('' AS LowCardinality(String))",
    "ScopeName": "JSONExtractString(metadata, 'scope.name')",
    "ScopeVersion": "CAST(JSONExtractString(metadata, 'scope.version') AS LowCardinality(String))",
    "ScopeAttributes": _map(
        f"arrayMap(pair -> (substring(pair.1, {len(_SCOPE_PREFIX) + 1}), pair.2), "
        f"arrayFilter(pair -> {_IS_SCOPE} AND pair.1 NOT IN {_SCOPE_COLUMNS}, {_PAIRS}))"
    ),
    "LogAttributes": _map(
        f"arrayFilter(pair -> NOT ({_IS_RESOURCE} OR {_IS_SCOPE} OR {_HAS_COLUMN}), {_PAIRS})"
    ),
    "EventName": "JSONExtractString(metadata, 'event_name')",
}
"""Name in the exporter's table -> SQL over `events`."""

CREATE = (
    f"CREATE VIEW IF NOT EXISTS {VIEW} AS "  # noqa: S608 - constants
    f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in COLUMNS.items())} FROM events"
)

_EXISTS = f"SELECT name FROM system.tables WHERE database = currentDatabase() AND name = '{VIEW}'"  # noqa: S608


def create_otel_view(database: Warehouse) -> bool:
    """Create the view if its name is free; False when our user may not, or the server rejects it.

    Logs are loaded and searched without it, so that is not an error. Raises the other errors of `database`.
    """
    if database.select(_EXISTS).rows:
        return True
    try:
        database.command(CREATE)
    except WarehouseRefusedError:
        return False
    return True
