"""What the commands for notices show: a result for programs and lines for people, addresses masked."""

from dataclasses import asdict
from typing import Any

from functions.notices.campaigns import Campaign
from functions.notices.notice import DueNotice
from functions.notices.notice_email import compose_email
from functions.notices.sender import CampaignPreview
from functions.shared.accounts.notice_outbox import MARKETING
from functions.shared.tenancy import TenantId

Shown = tuple[dict[str, Any], str]
"""Arguments of Console.show."""

_LINK = "https://…/v1/unsubscribe/…"


def dry_run(campaign: Campaign, preview: CampaignPreview) -> Shown:
    """The recipients of the draft, and its mail."""
    figures = {name: value for name, value in asdict(preview).items() if name != "sample"}
    sample = [masked(recipient.email) for recipient in preview.sample]
    result = {"campaign": campaign.campaign_id, "sent": False, **figures, "sample": sample}
    link = _LINK if campaign.kind == MARKETING else None
    whose = preview.sample[0].tenant if preview.sample else TenantId("an-account")
    mail = compose_email(whose, campaign.title, campaign.text, campaign.effective_on, link)
    counts = {"campaign": campaign.campaign_id, "to": campaign.audience, **figures}
    rows = [f"  {name:<11}{value}" for name, value in counts.items()]
    headers = "".join(f"\n{name}: {value}" for name, value in mail.headers.items())
    lines = [
        "Dry run: nothing was sent.",
        *rows,
        f"  for example  {', '.join(sample) or 'no recipients'}",
        "",
        f"Subject: {mail.subject}{headers}\n\n{mail.text}",
        f"To send it: python -m operate send-notice --send {campaign.campaign_id}",
    ]
    return result, "\n".join(lines)


def status(campaign: Campaign) -> Shown:
    """The progress of a campaign."""
    result = {name: value for name, value in asdict(campaign).items() if name != "text"}
    how = "done" if campaign.done else campaign.state
    accounts = f"{campaign.settled} of {campaign.accounts or 'the'} accounts notified"
    people = f"{campaign.mailed} people mailed, {campaign.suppressed} suppressed"
    left_out = f"{campaign.opted_out} opted out, {campaign.abandoned} accounts abandoned"
    line = f"{campaign.campaign_id}  {campaign.kind}  {how}: {accounts}; {people}, {left_out}"
    return {**result, "done": campaign.done}, line


def abandoned(due: DueNotice) -> Shown:
    """An abandoned notice."""
    shown = {"tenant": str(due.tenant), "notice": due.notice_id, "since": due.due_at}
    return shown, "  ".join(shown.values())


def queued(count: int, campaign: Campaign) -> Shown:
    """A campaign has been queued."""
    return {"campaign": campaign.campaign_id, "queued": count}, (
        f"{count} accounts: mails go out within minutes.\n"
        f"To see the progress: python -m operate notice-status {campaign.campaign_id}"
    )


def masked(address: str) -> str:
    """Enough of an address to recognize it."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}…@{domain}"
