"""Structured log lines with allowed fields, and metrics in CloudWatch's embedded format, on standard output.

Two writers write the same lines: Powertools for most functions (functions.shared.powertools), and the light
writer here for ingest and the authorizer, whose cold starts a caller waits for (docs/adr/0007). A field that
is not on the list is a bug and raises: this keeps payloads, secrets and addresses out of the logs.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from functions.shared.signals import Signal, raised

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

DIMENSION = "Function"
"""The only dimension but ALARM. A tenant is a field: each value of a dimension makes another metric."""

ALARM = "Alarm"
WARNING = "Warning"
"""Dimension and name of the metrics that alarms watch; see functions.shared.signals."""

SAMPLES = frozenset({"Milliseconds"})
"""Units for which zeros are published. For all other units a zero has the same meaning as no value."""

Fields = Mapping[str, str | float]
Measured = float | list[float]
"""A value, or one value of each of several requests; CloudWatch accepts up to 100 in a line."""

Metrics = Mapping[str, tuple[Measured, str]]
"""Values and units by name: `{"Rows": (100, "Count")}`."""


class LineWriter(Protocol):
    """Writes each line with one write; thread-safe."""

    def write(self, event: str, fields: Fields) -> None:
        """Write `event` and `fields`."""
        ...

    def measure(self, function: str, metrics: Metrics, fields: Fields) -> None:
        """Write metrics of which at least one is published."""
        ...


class LightWriter:
    """Writes lines with the standard library alone."""

    def write(self, event: str, fields: Fields) -> None:
        write_line({"event": event, "at_ms": now_ms(), **fields})

    def measure(self, function: str, metrics: Metrics, fields: Fields) -> None:
        directive = {
            "Namespace": namespace(),
            "Dimensions": [[DIMENSION]],
            "Metrics": [
                {"Name": name, "Unit": unit}
                for name, (value, unit) in metrics.items()
                if is_published(value, unit)
            ],
        }
        write_line(
            {
                "_aws": {"Timestamp": now_ms(), "CloudWatchMetrics": [directive]},
                **_figures(function, metrics),
                **fields,
            }
        )


_writer: LineWriter = LightWriter()
_bound: dict[str, str] = {}


def namespace() -> str:
    """CloudWatch namespace of the metrics. Several installations of one AWS account have one each."""
    return os.environ.get("ASTRALOG_METRICS_NAMESPACE", "AstraLog")


def use(writer: LineWriter) -> None:
    """Make this process write its lines with `writer`."""
    global _writer
    _writer = writer


def silence_libraries() -> None:
    """Keep lines of libraries below WARNING out of the log.

    With the log format JSON, Lambda sets the root logger to the application level, INFO.
    """
    import logging  # ingest has no library that logs, except for BYOC tenants

    logging.getLogger().setLevel(logging.WARNING)


@contextmanager
def bound(request_id: str) -> Iterator[None]:
    """Add `request_id`, if there is one, to each line written within the block."""
    if request_id:
        _bound["request_id"] = request_id
    try:
        yield
    finally:
        _bound.clear()


def write(event: str, **fields: str | float) -> None:
    """Write one line: the event, and fields that say for whom, where and how much."""
    refuse_unknown(fields)
    _writer.write(event, {**_bound, **fields})


def measure(function: str, metrics: Metrics, **fields: str | float) -> None:
    """Write one line that is also metrics: `{"Rows": (100, "Count")}`, with the dimension Function only.

    A zero is in the line but is not a metric: CloudWatch charges 30 cents a month for one written every hour,
    and no alarm distinguishes a zero from no value. A value above the limit of its signal also writes a line
    with the number of its warning, for the alarm.
    """
    refuse_unknown(fields)
    everything = {**_bound, **fields}
    if any(is_published(value, unit) for value, unit in metrics.values()):
        _writer.measure(function, metrics, everything)
    else:
        write_line({**_figures(function, metrics), **everything})
    for metric, signal in raised(function, metrics):
        write_line({**_warning(signal), DIMENSION: function, metric: metrics[metric][0], **everything})


def is_published(value: Measured, unit: str) -> bool:
    """Whether a figure becomes a metric; see SAMPLES."""
    return bool(value) or unit in SAMPLES


def refuse_unknown(fields: Fields) -> None:
    """Raise ValueError when a field is not in FIELDS; the error names it and not its value."""
    unknown = fields.keys() - FIELDS
    if unknown:
        raise ValueError(f"not on the list of fields that may be logged: {sorted(unknown)}")


def encode(entry: Mapping[str, object]) -> str:
    """One line of JSON, without its end."""
    return json.dumps(entry, separators=(",", ":"))


def write_line(entry: Mapping[str, object]) -> None:
    """Write `entry` as one line, with one write, so that lines of threads do not mix."""
    write_text(encode(entry))


def write_text(line: str) -> None:
    """Write `line` and its end; flushed, because an environment may be frozen or ended at any time."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def place_of(fault: BaseException) -> str:
    """Where `fault` was raised, for `error_place`: function and line, without its text."""
    trace = fault.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "unknown"


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def _warning(signal: Signal) -> dict[str, object]:
    directive = {
        "Namespace": namespace(),
        "Dimensions": [[ALARM]],
        "Metrics": [{"Name": WARNING, "Unit": "None"}],
    }
    return {
        "_aws": {"Timestamp": now_ms(), "CloudWatchMetrics": [directive]},
        ALARM: signal.alarm,
        WARNING: signal.number,
    }


def _figures(function: str, metrics: Metrics) -> dict[str, str | Measured]:
    return {DIMENSION: function, **{name: value for name, (value, _) in metrics.items()}}
