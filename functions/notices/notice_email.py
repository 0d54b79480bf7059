"""A notice as an email."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from functions.notices.unsubscribe_link import headers
from functions.shared.tenancy import TenantId


@dataclass(frozen=True, slots=True)
class NoticeEmail:
    subject: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


def compose_email(
    tenant: TenantId, title: str, text: str, effective_on: date | None, unsubscribe: str | None
) -> NoticeEmail:
    """The email to a reader of `tenant`. `unsubscribe`: their unsubscribe link, for marketing only."""
    subject = " ".join(title.split())
    counts = f"\n\nEffective on {effective_on.isoformat()}." if effective_on else ""
    body = f"{text.rstrip()}{counts}\n\n-- \n"
    if unsubscribe:
        why = f"You opted in to marketing emails from AstraLog. To unsubscribe:\n{unsubscribe}\n"
        return NoticeEmail(subject, body + why, headers(unsubscribe))
    return NoticeEmail(
        subject, f"{body}This email concerns your AstraLog account {tenant}. It is not advertising.\n"
    )
