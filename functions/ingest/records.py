"""A window, split into records."""

from collections.abc import Iterable
from io import BytesIO

import msgspec
from msgspec import Raw, Struct

from functions.ingest import streamed
from functions.ingest.protocols.contract import Window
from functions.shared.errors import HttpError
from functions.shared.events.aliases import with_columns
from functions.shared.events.surrogates import replace_lone_surrogates


class _Envelope(Struct):
    events: list[Raw] | None = None
    logs: list[Raw] | None = None


_array = msgspec.json.Decoder(list[Raw])
_envelope = msgspec.json.Decoder(_Envelope)
_object = msgspec.json.Decoder(dict[str, Raw])


def split(window: Window) -> Iterable[Raw] | Iterable[bytes]:
    """The records of `window`: JSON values, or for NDJSON whatever stands on the lines.

    Raises
    ------
    HttpError: 400, when the window is not of the promised form; possibly after some records.
    """
    body = replace_lone_surrogates(window.body)
    if window.ndjson:
        return (line for line in BytesIO(body) if line.strip())  # a list of short lines outweighs them
    try:
        return _array.decode(body) if body[:1] == b"[" else _contents(_envelope.decode(body), body)
    except msgspec.ValidationError as fault:
        raise HttpError(400, "no_events", "'events' and 'logs' must be arrays of events.") from fault
    except RecursionError as fault:
        raise HttpError(400, "too_deep", "The body is nested too deep.") from fault
    except (msgspec.DecodeError, UnicodeDecodeError):
        return streamed.each(body)


def _contents(envelope: _Envelope, body: bytes) -> list[Raw] | list[bytes]:
    if envelope.events is not None or envelope.logs is not None:
        return (envelope.events or []) + (envelope.logs or [])
    if "message" in with_columns(_object.decode(body)):
        return [body]  # one bare event, under its logger's names: what people try first
    raise HttpError(
        400,
        "no_events",
        'Send {"events": [...]}, {"logs": [...]}, an array, or NDJSON as application/x-ndjson.',
    )
