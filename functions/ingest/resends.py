"""Requests that are sent again byte for byte, in protocols that name neither a request nor a record.

A client whose answer was lost sends the same bytes again. So the id of the staged object is made from a
digest of the request: the second attempt writes to the same key and finds it taken, or sync knows the key
as loaded. This costs no request to a store (docs/adr/0038).

Two requests that are meant to be two can be the same bytes, too, if their records have no times, or times of
a coarse clock. So the digest counts only where a record has a time with digits below a millisecond.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from functions.ingest.protocols.contract import LogRequest, Part, Window
from functions.shared.events.staged_key import base32

WINDOW_MS = 15 * 60 * 1000
"""A request that is sent again within the same quarter of an hour is recognised."""

_DIGEST_BYTES = 10
_FINE_TIME = re.compile(rb'"timestamp":"[^"]{19}\.\d{3}(?!000000)\d{6}Z"')


class Resends:
    """The digest of one request, while its body is read and decoded.

    Parameters
    ----------
    context: what decides about the rows besides the body, such as path, encoding and project.
    """

    def __init__(self, context: Iterable[str]) -> None:
        from hashlib import sha256  # OpenSSL: not for our own API

        self._sha256 = sha256("\0".join(context).encode() + b"\0")
        self._has_fine_time = False

    def reading(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces of the body, looked at while they pass."""
        for piece in pieces:
            self._sha256.update(piece)
            yield piece

    def decoding(self, parts: Iterable[Part]) -> Iterator[Part]:
        """The same records, looked at while they pass."""
        for part in parts:
            if not self._has_fine_time and isinstance(part, Window):
                self._has_fine_time = _FINE_TIME.search(part.body) is not None
            yield part

    def object_id(self, received_at: datetime) -> str | None:
        """The id of the staged object, ordered in time by WINDOW_MS; None where a digest does not count."""
        if not self._has_fine_time:
            return None
        received_ms = int(received_at.timestamp() * 1000)
        window = received_ms - received_ms % WINDOW_MS
        digest = int.from_bytes(self._sha256.digest()[:_DIGEST_BYTES], "big")
        return base32(window << 8 * _DIGEST_BYTES | digest)


def resends_of(request: LogRequest, project_id: str) -> Resends:
    """The digest of a request; its tenant is in the key of the object anyway."""
    query = [f"{name}={value}" for name, value in sorted(request.query.items())]
    return Resends([request.path, request.media_type, project_id, *query])
