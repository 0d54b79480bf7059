"""The messages of Loki's push in protobuf, as far as they are read.

Texts are declared as bytes: Go does not check that they are UTF-8, and agents send lines that are not.
"""

from functions.ingest.protocols.protobuf_messages import classes

_classes = classes(
    "astralog.loki",
    {
        "Time": (("seconds", 1, "int64"), ("nanos", 2, "int32")),
        "Pair": (("name", 1, "bytes"), ("value", 2, "bytes")),
        "Entry": (("timestamp", 1, "Time"), ("line", 2, "bytes"), ("metadata", 3, "Pair*")),
        "Entries": (("entries", 2, "Entry*"),),
    },
)

Entry = _classes["Entry"]
Entries = _classes["Entries"]
