"""POST /v1/drain in NDJSON: one event a line, in a body of any length."""

from collections.abc import Iterable, Iterator

from functions.ingest import streamed
from functions.ingest.protocols.contract import LogRequest, Part, Window
from functions.ingest.protocols.json import JsonProtocol, one_window

MEDIA_TYPES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)


class NdjsonProtocol(JsonProtocol):
    """Our own API with one event a line, recognised by its content type."""

    def reads(self, request: LogRequest) -> bool:
        return request.media_type in MEDIA_TYPES

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        whole = one_window(pieces)
        return (Window(whole, ndjson=True),) if isinstance(whole, bytes) else streamed.lines(whole)


PROTOCOL = NdjsonProtocol()
