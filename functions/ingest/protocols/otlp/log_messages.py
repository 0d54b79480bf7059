"""The messages of OTLP's logs, with attributes and bodies left as bytes.

A value is a message of its own, and each access to one makes an object. Most values of a request are the same
few, or a text, and are read without (functions.ingest.protocols.otlp.lines).
"""

from functions.ingest.protocols.protobuf_messages import classes

_classes = classes(
    "astralog.otlp",
    {
        "LogRecord": (
            ("time_unix_nano", 1, "fixed64"),
            ("severity_number", 2, "int32"),
            ("severity_text", 3, "string"),
            ("body", 5, "bytes"),
            ("attributes", 6, "bytes*"),
            ("dropped_attributes_count", 7, "uint32"),
            ("flags", 8, "fixed32"),
            ("trace_id", 9, "bytes"),
            ("span_id", 10, "bytes"),
            ("observed_time_unix_nano", 11, "fixed64"),
            ("event_name", 12, "string"),
        ),
        "ScopeLogs": (("scope", 1, "bytes"), ("log_records", 2, "LogRecord*")),
    },
)

LogRecord = _classes["LogRecord"]
ScopeLogs = _classes["ScopeLogs"]
