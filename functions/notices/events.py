"""What SES says became of a mail, as SNS delivers it to a queue."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from functions.shared.errors import PermanentError

What = Literal["bounce", "complaint", "other"]


class NotAnEventError(PermanentError):
    """A message that is no event of SES; it holds nothing that is repeated here."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a mail.

    `what`: `bounce` when it will never arrive, `complaint` when a reader called it spam, `other` for all that
    asks for nothing, bounces that may pass among it. `addresses`: of whom. `person`: the subject of who was
    mailed, empty when the mail had no such tag.
    """

    what: What
    addresses: tuple[str, ...] = field(repr=False)
    person: str


def fate(body: str) -> Fate:
    """Take a message apart.

    Raises
    ------
    NotAnEventError
    """
    try:
        event = json.loads(json.loads(body)["Message"])
        kind, mail = event["eventType"], event["mail"]
        (person, *_) = mail.get("tags", {}).get("person", [""])
        return Fate(_what(kind, event), _addresses(kind, event), str(person))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotAnEventError("not an event of SES in an envelope of SNS") from None


def _what(kind: str, event: dict[str, Any]) -> What:
    if kind == "Complaint":
        return "complaint"
    # Undetermined ones are left alone: SES could not tell, and what is lasting bounces again.
    return "bounce" if kind == "Bounce" and event["bounce"]["bounceType"] == "Permanent" else "other"


def _addresses(kind: str, event: dict[str, Any]) -> tuple[str, ...]:
    match kind:
        case "Bounce":
            recipients = event["bounce"]["bouncedRecipients"]
        case "Complaint":
            recipients = event["complaint"]["complainedRecipients"]
        case _:
            recipients = []
    return tuple(str(each["emailAddress"]) for each in recipients)
