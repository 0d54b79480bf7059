"""Structured log lines with allowed fields, and metrics in CloudWatch's embedded format, on standard output.

Kept light because ingest loads it at every cold start, and each kilobyte of our own logs per request costs
$0.50 per million requests. A field that is not on the list is a bug and raises: this keeps payloads, secrets
and addresses out of the logs.
"""

import json
import sys
import time

FIELDS = frozenset(
    {
        "accepted", "age_seconds", "attempt", "batch_id", "bytes", "bytes_billed", "bytes_reported", "code",
        "count", "day", "duration_ms",
        "engine_code", "error_place", "error_type", "expires_on", "fetched_ms", "inserted_ms",
        "key", "key_id", "lease_seconds", "messages", "migration", "notice", "objects", "partition", "phase",
        "place", "reason", "receive_count", "rejected", "request_id", "rows", "rows_expected", "rows_found",
        "state", "status", "tenant_id", "waited_seconds",
    }
)  # fmt: skip

NAMESPACE = "AstraLog"

SAMPLES = frozenset({"Milliseconds"})
"""Units for which zeros are published. For all other units a zero has the same meaning as no value."""


def write(event: str, **fields: str | float) -> None:
    """Write one line: the event, and fields that say for whom, where and how much."""
    _refuse_unknown(fields)
    _line({"event": event, "at_ms": _now_ms(), **fields})


def measure(function: str, metrics: dict[str, tuple[float, str]], **fields: str | float) -> None:
    """Write one line that is also metrics: `{"Rows": (100, "Count")}`, with the dimension Function only.

    Tenants are fields, never dimensions: each dimension value is a metric of its own, and a dashboard name.
    A zero is in the line but is not a metric: CloudWatch charges 30 cents a month for one written every hour,
    and no alarm distinguishes a zero from no value.
    """
    _refuse_unknown(fields)
    told = [
        {"Name": name, "Unit": unit} for name, (value, unit) in metrics.items() if value or unit in SAMPLES
    ]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": told}
    _line(
        {
            **({"_aws": {"Timestamp": _now_ms(), "CloudWatchMetrics": [directive]}} if told else {}),
            "Function": function,
            **{name: value for name, (value, _) in metrics.items()},
            **fields,
        }
    )


def _refuse_unknown(fields: dict[str, str | float]) -> None:
    unknown = fields.keys() - FIELDS
    if unknown:
        raise ValueError(f"not on the list of fields that may be logged: {sorted(unknown)}")


def _line(entry: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(entry, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
