"""What SES says became of a mail, as SNS delivers it to a queue."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from functions.shared.errors import PermanentError

What = Literal["bounce", "complaint", "other"]

NOT_SPAM = "not-spam"
"""A complaint of this kind takes one back."""


class NotAnEventError(PermanentError):
    """A message that is no event of SES; it holds nothing that is repeated here."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a mail.

    `what`: `bounce` when it will never arrive, `complaint` when a reader called it spam, `other` for all that
    asks for nothing, bounces that may pass among it. `addresses`: whom we mailed, which is one in each mail.
    `person`: the subject of who was mailed, empty when the mail had no such tag.
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
        mail = event["mail"]
        (person, *_) = mail.get("tags", {}).get("person", [""])
        # Whom the event calls bounced is what the other side's report says: the address that ours forwards
        # to, or anybody whom a malicious server would like us to mail no more.
        return Fate(_what(event), tuple(str(each) for each in mail["destination"]), str(person))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotAnEventError("not an event of SES in an envelope of SNS") from None


def _what(event: dict[str, Any]) -> What:
    match event["eventType"]:
        case "Complaint":
            # Some providers report as well what a reader took out of the spam.
            return "other" if event["complaint"].get("complaintFeedbackType") == NOT_SPAM else "complaint"
        case "Bounce":
            # Undetermined ones are left alone: SES could not tell, and what is lasting bounces again.
            return "bounce" if event["bounce"]["bounceType"] == "Permanent" else "other"
        case _:
            return "other"
