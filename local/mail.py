"""What was mailed on this machine: kept, never sent, shown at `GET /_mail`.

Mails reach the outbox from moto's SES, both versions of its interface, and from the local Cognito. The page
is a JSON list of `{"to", "subject", "text", "at"}`, the newest last; `?to=<address>` leaves one reader's.
"""

import email
import json
import threading
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/_mail"
MAX_KEPT = 1000


class Outbox:
    """The last MAX_KEPT mails, for many threads."""

    def __init__(self) -> None:
        self._mails: deque[dict[str, str]] = deque(maxlen=MAX_KEPT)
        self._lock = threading.Lock()

    def put(self, to: str, subject: str, text: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._lock:
            self._mails.append({"to": to, "subject": subject, "text": text, "at": at})

    def mails(self, to: str | None = None) -> list[dict[str, str]]:
        with self._lock:
            return [mail for mail in self._mails if to in (None, mail["to"])]


class ShowMail:
    """WSGI middleware that answers PATH from the outbox."""

    def __init__(self, application: "WSGIApplication", outbox: Outbox) -> None:
        self._application = application
        self._outbox = outbox

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return self._application(environ, start_response)
        to = parse_qs(environ.get("QUERY_STRING", "")).get("to", [None])[0]
        body = json.dumps(self._outbox.mails(to)).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


def install(outbox: Outbox) -> None:
    """Have moto's SES put what it accepts into `outbox`, for the life of the process."""
    from moto.ses.models import SESBackend
    from moto.sesv2.responses import SESV2Response

    texts = threading.local()
    send, send_raw, answer = SESBackend.send_email, SESBackend.send_raw_email, SESV2Response.send_email

    def send_email(
        backend: Any, source: str, subject: str, body: str, destinations: dict[str, list[str]]
    ) -> Any:
        sent = send(backend, source, subject, body, destinations)
        for to in _readers(destinations):
            outbox.put(to, subject, getattr(texts, "plain", None) or body)
        return sent

    def send_raw_email(backend: Any, source: str, destinations: list[str], raw_data: str) -> Any:
        sent = send_raw(backend, source, destinations, raw_data)
        message = email.message_from_bytes(raw_data.encode())
        for to in dict.fromkeys(sent.destinations):
            outbox.put(to, str(message["subject"] or ""), _text(message))
        return sent

    def send_email_v2(response: Any) -> Any:
        """moto hands on one body and prefers HTML; a reader of the page wants the text."""
        body = json.loads(response.body)["Content"].get("Simple", {}).get("Body", {})
        texts.plain = body.get("Text", {}).get("Data")
        try:
            return answer(response)
        finally:
            texts.plain = None

    SESBackend.send_email = send_email
    SESBackend.send_raw_email = send_raw_email
    SESV2Response.send_email = send_email_v2


def provision_mail(sesv2: Any, mail_from: str) -> None:
    """Let SES send as `mail_from`; the same again changes nothing."""
    if mail_from not in {each["IdentityName"] for each in sesv2.list_email_identities()["EmailIdentities"]}:
        sesv2.create_email_identity(EmailIdentity=mail_from)


def _readers(destinations: dict[str, list[str]]) -> list[str]:
    return [
        to for name in ("ToAddresses", "CcAddresses", "BccAddresses") for to in destinations.get(name, [])
    ]


def _text(message: Message) -> str:
    """The plain part, decoded; or whatever part there is."""
    parts = [part for part in message.walk() if not part.is_multipart()]
    part = next((part for part in parts if part.get_content_type() == "text/plain"), parts[0])
    content = part.get_payload(decode=True)
    return (
        content.decode(part.get_content_charset() or "utf-8", "replace") if isinstance(content, bytes) else ""
    )
