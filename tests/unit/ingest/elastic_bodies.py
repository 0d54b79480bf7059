"""Hostile bodies of Elasticsearch's bulk API."""

from collections.abc import Callable

from tests.unit.ingest import hostile

MEBIBYTE = 1024 * 1024
CREATE = b'{"create":{}}\n'

BODIES: dict[str, Callable[[], bytes]] = {
    "deletes": lambda: b'{"delete":{}}\n' * 4_000_000,
    "blank lines": lambda: b"\n" * (60 * MEBIBYTE),
    "ids": lambda: b"".join(b'{"index":{"_id":%d}}\n{"a":1}\n' % number for number in range(200_000)),
    "indices": lambda: b"".join(
        b'{"index":{"_index":"%d"}}\n{"message":"","x":0}\n' % number for number in range(199_000)
    ),
    "one line": lambda: CREATE + b"x" * (60 * MEBIBYTE),
    "one action": lambda: b'{"create":{"_index":"' + b"x" * (60 * MEBIBYTE),
    "deep documents": lambda: (CREATE + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"\n") * 100,
    "wide documents": lambda: (CREATE + b"{" + b'"a":1,' * 160_000 + b'"b":1}\n') * 30,
    "bad documents": lambda: (CREATE + b"{\n") * 200_000,
    "long indices": lambda: (b'{"create":{"_index":"%b"}}\n{"a":1}\n' % (b"x" * 300)) * 180_000,
}


def send(name: str) -> int:
    """The status of the answer."""
    return hostile.send(BODIES[name](), "ANY /_bulk", "application/x-ndjson")
