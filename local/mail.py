"""The mails of this machine: stored, never sent, shown at `GET /_mail`.

Mails reach the outbox from moto's SES, both API versions, and from the local Cognito. The page is a JSON list
of `{"to", "subject", "text", "at", "headers"}`, newest last; `?to=<address>` filters by recipient. `headers`
are those the sender added.

`POST /_mail {"to": "<address>", "event": "bounce" | "transient_bounce" | "complaint"}` simulates a bounce of
the last mail to that address, or a complaint: SES's event is delivered as in the cloud
(local.mail_feedback).
"""

import email
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/_mail"
MAX_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as its sender passed it; `mail_set` is its configuration set, if any."""

    to: str
    subject: str
    text: str
    at: str
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    mail_set: str = ""

    def shown(self) -> dict[str, Any]:
        return {
            "to": self.to,
            "subject": self.subject,
            "text": self.text,
            "at": self.at,
            "headers": dict(self.headers),
        }


class Outbox:
    """The last MAX_KEPT mails; thread-safe."""

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=MAX_KEPT)
        self._lock = threading.Lock()

    def put(self, to: str, subject: str, text: str, given: "Given | None" = None) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        given = given or Given()
        mail = Mail(to, subject, given.text or text, at, given.headers, given.tags, given.mail_set)
        with self._lock:
            self._mails.append(mail)

    def mails(self, to: str | None = None) -> list[Mail]:
        with self._lock:
            return [mail for mail in self._mails if to in (None, mail.to)]


@dataclass(frozen=True, slots=True)
class Given:
    """The parts of a SendEmail of version 2 that moto drops."""

    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    mail_set: str = ""


class ShowMail:
    """WSGI middleware that serves PATH from the outbox; a POST calls `publish` with a mail and an event."""

    def __init__(
        self, application: "WSGIApplication", outbox: Outbox, publish: Callable[[Mail, str], None]
    ) -> None:
        self._application = application
        self._outbox = outbox
        self._publish = publish

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return self._application(environ, start_response)
        if environ["REQUEST_METHOD"] == "POST":
            status, content = self._ordered(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        else:
            to = parse_qs(environ.get("QUERY_STRING", "")).get("to", [None])[0]
            status, content = "200 OK", [mail.shown() for mail in self._outbox.mails(to)]
        body = json.dumps(content).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _ordered(self, body: bytes) -> tuple[str, Any]:
        try:
            order = json.loads(body)
            mail = self._outbox.mails(order["to"])[-1]
            self._publish(mail, order["event"])
        except (ValueError, KeyError, TypeError, IndexError) as fault:
            return "400 Bad Request", {"error": f"no such mail or event: {fault}"}
        return "202 Accepted", {"status": "published"}


def install(outbox: Outbox) -> None:
    """Make moto's SES put accepted mails into `outbox`, until the process ends."""
    from moto.ses.models import SESBackend
    from moto.sesv2.responses import SESV2Response

    asked = threading.local()
    send, send_raw, answer = SESBackend.send_email, SESBackend.send_raw_email, SESV2Response.send_email

    def send_email(
        backend: Any, source: str, subject: str, body: str, destinations: dict[str, list[str]]
    ) -> Any:
        sent = send(backend, source, subject, body, destinations)
        for to in _readers(destinations):
            outbox.put(to, subject, body, getattr(asked, "given", None))
        return sent

    def send_raw_email(backend: Any, source: str, destinations: list[str], raw_data: str) -> Any:
        sent = send_raw(backend, source, destinations, raw_data)
        message = email.message_from_bytes(raw_data.encode())
        for to in dict.fromkeys(sent.destinations):
            outbox.put(to, str(message["subject"] or ""), _text(message))
        return sent

    def send_email_v2(response: Any) -> Any:
        """moto passes on one body, prefers HTML, and drops headers, tags and configuration set."""
        asked.given = _given(json.loads(response.body))
        try:
            return answer(response)
        finally:
            asked.given = None

    SESBackend.send_email = send_email
    SESBackend.send_raw_email = send_raw_email
    SESV2Response.send_email = send_email_v2


def _given(request: dict[str, Any]) -> Given:
    simple = request["Content"].get("Simple", {})
    return Given(
        text=simple.get("Body", {}).get("Text", {}).get("Data", ""),
        headers={each["Name"]: each["Value"] for each in simple.get("Headers", [])},
        tags={each["Name"]: each["Value"] for each in request.get("EmailTags", [])},
        mail_set=request.get("ConfigurationSetName", ""),
    )


def provision_mail(sesv2: Any, mail_from: str) -> None:
    """Let SES send as `mail_from`. Idempotent."""
    if mail_from not in {each["IdentityName"] for each in sesv2.list_email_identities()["EmailIdentities"]}:
        sesv2.create_email_identity(EmailIdentity=mail_from)


def _readers(destinations: dict[str, list[str]]) -> list[str]:
    return [
        to for name in ("ToAddresses", "CcAddresses", "BccAddresses") for to in destinations.get(name, [])
    ]


def _text(message: Message) -> str:
    """The plain-text part, decoded; or else any part."""
    parts = [part for part in message.walk() if not part.is_multipart()]
    part = next((part for part in parts if part.get_content_type() == "text/plain"), parts[0])
    content = part.get_payload(decode=True)
    return (
        content.decode(part.get_content_charset() or "utf-8", "replace") if isinstance(content, bytes) else ""
    )
