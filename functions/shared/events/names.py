"""The names of an event's fields: ours, and the other names that loggers and files have for the same things.

One table for everything that reads events. POST /v1/drain and its fast path take FIELDS as they are. What
reads records that were not written for us also looks for OTHER_NAMES, in the form that `plain_name` makes.
docs/api.md and docs/uploads.md list both, and a test compares them with this module.
"""

from collections.abc import Mapping
from types import MappingProxyType

FIELDS = ("message", "timestamp", "level", "service", "project_id", "trace_id", "span_id", "metadata")
"""The fields of an event that a sender may set. All other fields go into the metadata."""

IDS = ("project_id", "trace_id", "span_id")
"""The fields that are found by their own name only."""

OTHER_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "message": (
            "msg", "log", "text", "body", "line", "content", "@message", "event_message", "short_message",
            "log_message", "raw", "_raw",
        ),
        "timestamp": (
            "@timestamp", "time", "ts", "datetime", "date_time", "eventtime", "event_time", "log_time",
            "logtime", "created_at", "date",
        ),
        "level": ("severity", "loglevel", "log_level", "log.level", "levelname", "lvl", "@level"),
        "service": (
            "service.name", "service_name", "app", "application", "app_name", "application_name",
        ),
    }
)  # fmt: skip
"""Field -> its other names, in lower case with `_` between words; the first one present counts."""

ENVELOPES = ("events", "logs")
"""The names under which an object holds the array of its events."""

FILE_ENVELOPES = (*ENVELOPES, "Records", "logEvents")
"""Those of files: CloudTrail's and CloudWatch's, too."""

LEVEL_KEYS = ("level", "lvl", "severity")
"""The names of the level in a line of text, before `=`."""


def names_of(field: str) -> tuple[str, ...]:
    """All names of a field, its own first."""
    return (field, *OTHER_NAMES.get(field, ()))


def plain_name(name: str) -> str:
    """A name as it was sent, in the form of OTHER_NAMES."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")
