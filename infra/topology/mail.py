"""What we mail goes through these sets, and what becomes of it comes back to a queue."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailSet:
    """What we mail is sent through it; SES tells `feedback_queue`, by SNS, which `events` a mail met."""

    name: str
    feedback_queue: str
    events: tuple[str, ...]


MAIL_SETS = (MailSet("notices", feedback_queue="mail-feedback", events=("BOUNCE", "COMPLAINT")),)
