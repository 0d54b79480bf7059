"""GitHub's webhooks: `POST /v1/github`, one event a request, signed with HMAC-SHA256.

GitHub does not retry by itself. A delivery that is sent again by hand has the same id.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from functions.ingest import streamed
from functions.ingest.idempotency import IdempotencyKey, checked_key
from functions.ingest.protocols.contract import LogRequest, Part, windows
from functions.ingest.protocols.enveloped import Converted, Fields, converted, object_of, text_of
from functions.ingest.protocols.forwarder import ForwarderProtocol
from functions.ingest.protocols.signatures import verify_signature
from functions.shared.errors import HttpError

_DELIVERY = "x-github-delivery"
_FORM = "application/x-www-form-urlencoded"
_MAX_FORM_FIELDS = 10
MAX_FORM_BYTES = 4 * 1024 * 1024
"""Escapes are decoded piece by piece, a hundred bytes for each."""


class GithubProtocol(ForwarderProtocol):
    """Events of repositories and organisations."""

    success_status = 202

    def idempotency_key(self, request: LogRequest) -> IdempotencyKey | None:
        sent = request.headers.get(_DELIVERY, "")
        return checked_key(f"github:{sent}") if sent else None

    def decode(self, request: LogRequest, pieces: Iterator[bytes]) -> Iterable[Part]:
        verify_signature(
            request, request.headers.get("x-hub-signature-256", "").removeprefix("sha256="), "sha256"
        )
        if request.media_type == _FORM:
            pieces = iter((_payload_of(pieces),))
        headers = {
            "event": request.headers.get("x-github-event", ""),
            "delivery": request.headers.get(_DELIVERY, ""),
        }
        return windows(converted(streamed.values(pieces), partial(_event, headers=headers)))


PROTOCOL = GithubProtocol()


def _payload_of(pieces: Iterator[bytes]) -> bytes:
    """The field `payload` of a form, which is GitHub's other content type."""
    form = bytearray()
    for piece in pieces:
        form += piece
        if len(form) > MAX_FORM_BYTES:
            raise HttpError(413, "payload_too_large", "A form decodes to more than 4 MiB.")
    try:
        return parse_qs(bytes(form), max_num_fields=_MAX_FORM_FIELDS)[b"payload"][0]
    except (KeyError, ValueError) as fault:
        raise HttpError(400, "invalid_body", "The form has no field 'payload'.") from fault


def _event(payload: Fields, headers: dict[str, str]) -> Converted:
    """A webhook's event: its repository is the service, and the payload is in the metadata as it is."""
    action = text_of(payload.get("action"))
    repository = text_of(object_of(payload.get("repository")).get("full_name"))
    sender = text_of(object_of(payload.get("sender")).get("login"))
    name = ".".join(part for part in (headers["event"], action) if part)
    metadata: dict[str, Any] = {name: value for name, value in headers.items() if value}
    message = " ".join(part for part in (name, repository, f"by {sender}" if sender else "") if part)
    event: dict[str, Any] = {"message": message, "metadata": {**metadata, "payload": payload}}
    return {**event, "service": repository} if repository else event
