"""POST /v1/drain in MessagePack, as fluent-bit and Fluentd send it."""

from collections.abc import Iterable, Iterator

from functions.ingest.protocols.contract import LogRequest, Part, windows
from functions.ingest.protocols.json import JsonProtocol

MEDIA_TYPES = frozenset({"application/msgpack", "application/x-msgpack", "application/vnd.msgpack"})


class FluentProtocol(JsonProtocol):
    """Our own API with records in MessagePack, recognised by its content type."""

    def reads(self, request: LogRequest) -> bool:
        return request.media_type in MEDIA_TYPES

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        from functions.ingest.protocols.msgpack_records import records  # POST /v1/drain in JSON needs none

        return windows(records(pieces))


PROTOCOL = FluentProtocol()
