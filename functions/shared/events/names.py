"""The names of an event's fields: ours, and what loggers, agents and files call the same things.

One table for everything that reads events: POST /v1/drain, the protocols, and uploaded files. The fast path
of POST /v1/drain takes FIELDS as they are; functions.shared.events.aliases finds the others.
docs/field-names.md lists them, and a test compares it with this module.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

FIELDS = ("message", "timestamp", "level", "service", "project_id", "trace_id", "span_id", "metadata")
"""The fields of an event that a sender may set. All other fields go into the metadata."""

OWN_NAME_ONLY = ("project_id", "metadata")
"""The fields that are found by their own name only."""

OTHER_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "message": (
            "msg", "log", "body", "text", "event", "@m", "@mt", "short_message", "textpayload", "_msg",
            "line", "content", "@message", "event_message", "log_message", "raw", "_raw",
            "jsonpayload.message", "body.text",
        ),
        "timestamp": (
            "@timestamp", "time", "ts", "@t", "datetime", "asctime", "_time", "dt", "__realtime_timestamp",
            "timemillis", "date_time", "eventtime", "event_time", "log_time", "logtime", "created_at",
            "date",
        ),
        "level": (
            "severity", "lvl", "levelname", "level_name", "loglevel", "log_level", "log.level", "@l",
            "@level", "priority", "severitytext", "severity_text", "severitynumber", "severity_number",
            "otel.log.severity.text", "otel.log.severity.number", "status",
        ),
        "service": (
            "service.name", "service_name", "servicename", "app", "application", "app_name",
            "application_name", "dd.service", "syslog_identifier", "_systemd_unit",
            "kubernetes.labels.app.kubernetes.io/name", "kubernetes.labels.app",
            "kubernetes.container_name", "resource.attributes.service.name",
        ),
        "trace_id": (
            "traceid", "trace.id", "dd.trace_id", "oteltraceid", "logging.googleapis.com/trace", "trace",
        ),
        "span_id": (
            "spanid", "span.id", "dd.span_id", "otelspanid", "logging.googleapis.com/spanid",
        ),
    }
)  # fmt: skip
"""Field -> its other names, in the form of `plain_name`; the first one present with a fitting value counts.

A dot also leads into an object: `log.level` is the field of that name, or `level` in the object `log`.
"""

OTEL_NUMBERS = frozenset({"severitynumber", "severity_number", "otel.log.severity.number"})
"""The names of a level that hold OpenTelemetry's severity number, 1 to 24."""

SYSLOG_NUMBERS = frozenset({"priority"})
"""The names of a level that hold syslog's severity, 0 to 7, as a number or as text."""

NEVER_A_NUMBER = frozenset({"status"})
"""The names of a level that are more often something else: only a level's name counts."""

DECIDED_BY_VALUE = OTEL_NUMBERS | SYSLOG_NUMBERS | NEVER_A_NUMBER
"""The names that do not suffice by themselves: not used for CSV, whose columns are chosen by the header."""

ENVELOPES = ("events", "logs")
"""The names under which an object holds the array of its events."""

FILE_ENVELOPES = (*ENVELOPES, "Records", "logEvents")
"""Those of files: CloudTrail's and CloudWatch's, too."""

LEVEL_KEYS = ("level", "lvl", "severity")
"""The names of the level in a line of text, before `=`."""


def names_of(field: str) -> tuple[str, ...]:
    """All names of a field, its own first."""
    return (field, *OTHER_NAMES.get(field, ()))


MAX_NAME_CHARACTERS = 64
"""Longer names are in no table; so a sender cannot fill the cache with large ones."""


def plain_name(name: str) -> str:
    """A name as it was sent, in the form of OTHER_NAMES."""
    return _plain(name) if len(name) <= MAX_NAME_CHARACTERS else name


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")
