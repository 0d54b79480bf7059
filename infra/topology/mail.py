"""SES configuration sets of our mails, and the queues of their delivery events."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailSet:
    """Our mails are sent through it; SES publishes their `events` by SNS to `feedback_queue`."""

    name: str
    feedback_queue: str
    events: tuple[str, ...]


MAIL_SETS = (MailSet("notices", feedback_queue="mail-feedback", events=("BOUNCE", "COMPLAINT")),)
