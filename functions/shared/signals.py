"""Signals: which metrics raise an alarm, above which value, and the warning's number in that alarm.

An alarm is charged for each metric it watches. So a function that measures one of these values above its
limit publishes its number as the one metric that the alarm watches (functions.shared.journal). The alarm's
message shows the number, and docs/operations.md says what to do. Of several warnings the alarm shows the
highest number, the most urgent. A number in use never gets another meaning.

infra/topology/signals.py describes the same signals for the alarms; a test compares the two.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

DELIVERY = "delivery"
"""Logs, files or mails are late, lost or rejected."""

OBLIGATIONS = "obligations"
"""A term of retention, privacy or billing is not kept."""


class Signal(NamedTuple):
    """Raises warning `number` of `alarm` while the metric is above `above`."""

    alarm: str
    number: int
    above: float = 0


SIGNALS: Mapping[str, Mapping[str, Signal]] = {
    "ingest": {"UnpublishedObjects": Signal(DELIVERY, 1)},
    "watch": {"OutagesNotNotified": Signal(DELIVERY, 2)},
    "queue-check": {
        "MailFeedbackAgeSeconds": Signal(DELIVERY, 3, above=300),
        "MailFeedbackDead": Signal(DELIVERY, 4),
        "DroppedAgeSeconds": Signal(DELIVERY, 10, above=1800),
        "DroppedByocDead": Signal(DELIVERY, 11),
        "DroppedDead": Signal(DELIVERY, 12),
        "StagedAgeSeconds": Signal(DELIVERY, 13, above=300),
        "StagedByocDead": Signal(DELIVERY, 15),
        "StagedDead": Signal(DELIVERY, 16),
    },
    "notifier": {
        "MostTries": Signal(DELIVERY, 5, above=5),
        "NoticesAbandoned": Signal(DELIVERY, 6),
    },
    "sync": {
        "VanishedObjects": Signal(DELIVERY, 7),
        "BrokenBatches": Signal(DELIVERY, 8),
        "QuarantinedRows": Signal(DELIVERY, 9),
        "ExpiredObjects": Signal(DELIVERY, 18),
    },
    "sweeper": {
        "OldestStagedSeconds": Signal(DELIVERY, 14, above=1800),
        "ExpiredObjects": Signal(DELIVERY, 17),
    },
    "bookkeeper": {
        "AccountsNotKept": Signal(OBLIGATIONS, 1),
        "MissedEvents": Signal(OBLIGATIONS, 7),
    },
    "retention": {
        "PurgesFailed": Signal(OBLIGATIONS, 2),
        "PartitionsPastRetention": Signal(OBLIGATIONS, 12),
    },
    "exporter": {"ExportsFailed": Signal(OBLIGATIONS, 3)},
    "meter": {"OldestUncountedSeconds": Signal(OBLIGATIONS, 4, above=900)},
    "report": {
        "OldestReportSeconds": Signal(OBLIGATIONS, 5, above=14_400),
        "ReportsRefused": Signal(OBLIGATIONS, 10),
    },
    "closer": {"ClosingsSlow": Signal(OBLIGATIONS, 6)},
    "reconcile": {
        "UsageDifferenceRows": Signal(OBLIGATIONS, 8),
        "UsageDifferenceBytes": Signal(OBLIGATIONS, 9),
    },
    "billing": {"DoubleSubscriptions": Signal(OBLIGATIONS, 11)},
    "retention-check": {
        "RowsOfUnknownTenants": Signal(OBLIGATIONS, 13),
        "RowsPastRetention": Signal(OBLIGATIONS, 14),
        "ByocAtRest": Signal(OBLIGATIONS, 15),
    },
    "eraser": {
        "OldestErasureSeconds": Signal(OBLIGATIONS, 16, above=86_400),
        "ErasuresLate": Signal(OBLIGATIONS, 18),
    },
    # `OldestErasureSeconds` is no signal here: an unreachable customer's ClickHouse would keep it on.
    "eraser-byoc": {"ErasuresLate": Signal(OBLIGATIONS, 17)},
}
"""Function -> metric -> signal."""


def raised(
    function: str, metrics: Mapping[str, tuple[float | list[float], str]]
) -> Iterator[tuple[str, Signal]]:
    """Each metric of `function` whose value is above the limit of its signal, and the signal.

    `metrics`: values and units by name.
    """
    for metric, signal in SIGNALS.get(function, {}).items():
        if metric in metrics and _largest(metrics[metric][0]) > signal.above:
            yield metric, signal


def _largest(value: float | list[float]) -> float:
    return max(value) if isinstance(value, list) else value
