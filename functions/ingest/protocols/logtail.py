"""Better Stack's logtail: `POST /` with one or many logs in MessagePack or JSON.

Its clients retry at 5xx and nothing else, so what a wait would save is 503, never 429.
"""

from collections.abc import Iterable, Iterator

from functions.ingest import streamed
from functions.ingest.protocols.contract import (
    IngestProtocol,
    IngestResult,
    LogRequest,
    Part,
    described,
    nothing_accepted,
    windows,
)
from functions.ingest.protocols.enveloped import Converted, Fields, converted, event_of
from functions.ingest.protocols.fluent import MEDIA_TYPES
from functions.ingest.protocols.refusals import Cause, retry_after, status_for
from functions.shared.errors import HttpError
from functions.shared.events.judge import RejectedEvent
from functions.shared.http import Answer, answer, refused

_STATUSES = {Cause.BUSY: 503, Cause.OVER_QUOTA: 503, Cause.CLOSED: 403}


class LogtailProtocol(IngestProtocol):
    """Logs of the logtail libraries."""

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        if request.media_type not in MEDIA_TYPES:
            return windows(converted(streamed.values(pieces), _event))
        from functions.ingest.protocols.msgpack_records import records  # JSON needs none

        return windows(map(_of_record, records(pieces)))

    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        if not result.rows:
            raise nothing_accepted(result)
        return answer(202, described(result))

    def rejected(self, error: HttpError, request: LogRequest) -> Answer:
        status = status_for(error, _STATUSES)
        response = refused(error, request.event)
        response["headers"] |= retry_after(error)
        return {**response, "statusCode": status}


PROTOCOL = LogtailProtocol()


def _of_record(record: Converted) -> Converted:
    return record if isinstance(record, RejectedEvent) else event_of(dict(record), {})


def _event(fields: Fields) -> Converted:
    return event_of(fields, {})
