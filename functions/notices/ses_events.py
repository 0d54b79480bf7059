"""SES events about the outcome of a mail, delivered to a queue by SNS."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.shared.errors import PermanentError

OutcomeKind = Literal["bounce", "complaint", "other"]

NOT_SPAM = "not-spam"
"""The feedback type of a complaint that withdraws an earlier one."""


class NotAnEventError(PermanentError):
    """The message is not an SES event; the error repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class MailOutcome:
    """The outcome of a mail.

    `what`: `bounce` for a permanent bounce, `complaint` when a reader marked it as spam, `other` for all
    events that need no action, including temporary bounces. `addresses`: the recipient of our mail, one per
    mail. `person`: the subject of the person mailed, empty when the mail had no such tag.
    """

    what: OutcomeKind
    addresses: tuple[str, ...] = field(repr=False)
    person: str


def parse_event(record: SQSRecord) -> MailOutcome:
    """Parse a message: an event of SES in an envelope of SNS.

    Raises
    ------
    NotAnEventError
    """
    try:
        event = json.loads(record.decoded_nested_sns_event.message)
        mail = event["mail"]
        (person, *_) = mail.get("tags", {}).get("person", [""])
        # Not the bounced recipients of the event: the other server reports those. They can be an address that
        # ours forwards to, or any address that a malicious server wants to be suppressed.
        return MailOutcome(_what(event), tuple(str(each) for each in mail["destination"]), str(person))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotAnEventError("not an event of SES in an envelope of SNS") from None


def _what(event: dict[str, Any]) -> OutcomeKind:
    match event["eventType"]:
        case "Complaint":
            # Some providers also report mails that a reader marked as not spam.
            return "other" if event["complaint"].get("complaintFeedbackType") == NOT_SPAM else "complaint"
        case "Bounce":
            # Undetermined bounces are ignored: a permanent one bounces again.
            return "bounce" if event["bounce"]["bounceType"] == "Permanent" else "other"
        case _:
            return "other"
