"""Commands for notices: `send-notice`, `notice-status`, `abandoned-notices`, `lift-suppression`."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from functions.notices.audience import ALL, AudienceAccounts, validate_audience
from functions.notices.campaigns import Campaigns
from functions.notices.outbox import Outbox
from functions.notices.recipients import Recipients
from functions.notices.sender import KINDS, CampaignSender
from functions.shared.accounts.announcements import Announcements
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.accounts.suppressions import Suppressions
from operate import campaign_texts
from operate.command import Command
from operate.console import Console
from operate.errors import OperatorError
from operate.session import Session

MAX_TITLE_CHARACTERS = 150
MAX_TEXT_BYTES = 50_000
PROGRESS_EVERY = 100
FOLLOW_SECONDS = 2.0


class MessageError(OperatorError):
    """The title, text or date of a campaign is invalid; the message says why."""


@dataclass(frozen=True, slots=True)
class NoticeTables:
    accounts_table: str
    people_table: str
    notices_table: str
    suppressions_table: str
    announcements_table: str


@dataclass(frozen=True, slots=True)
class NoticeStores:
    sender: CampaignSender
    campaigns: Campaigns
    outbox: Outbox
    suppressions: Suppressions
    clock: Callable[[], float]


def notice_stores(settings: NoticeTables, client: Any, clock: Callable[[], float]) -> NoticeStores:
    """Wire the parts around one DynamoDB client."""
    campaigns = Campaigns(settings.notices_table, client, clock)
    suppressions = Suppressions(settings.suppressions_table, client, clock)
    sender = CampaignSender(
        campaigns,
        AudienceAccounts(settings.accounts_table, client),
        Recipients(settings.people_table, client),
        suppressions,
        NoticeOutbox(settings.notices_table, client, clock),
        Announcements(settings.announcements_table, client, clock),
    )
    return NoticeStores(sender, campaigns, Outbox(settings.notices_table, client, clock), suppressions, clock)


def send_notice(asked: argparse.Namespace, stores: NoticeStores, console: Console) -> None:
    """Draft and preview a campaign, or send the draft `asked.send`."""
    if not asked.send:
        _draft(asked, stores, console)
        return

    def on_progress(count: int) -> None:
        if count % PROGRESS_EVERY == 0:
            console.note(f"{count} accounts so far")

    campaign = stores.campaigns.get(asked.send)
    console.confirm(f"Send {campaign.title!r} to {campaign.audience}?")
    count = stores.sender.send(asked.send, on_progress)
    console.show(*campaign_texts.queued(count, campaign))


def _draft(asked: argparse.Namespace, stores: NoticeStores, console: Console) -> None:
    if None in (asked.kind, asked.title, asked.text_file):
        raise MessageError("a draft needs --kind, --title and --text-file; to send a draft, use --send ID")
    text = _text(asked.text_file)
    if not 1 <= len(asked.title.strip()) <= MAX_TITLE_CHARACTERS or not asked.title.isprintable():
        raise MessageError(f"the title must be a line of 1 to {MAX_TITLE_CHARACTERS} printable characters")
    today = datetime.fromtimestamp(stores.clock(), UTC).date()
    if asked.kind == "policy" and asked.effective_on is None:
        raise MessageError("--kind policy needs --effective-on, the day from which the change applies")
    if asked.effective_on is not None and asked.effective_on < today:
        raise MessageError("--effective-on must be today or later")
    audience = validate_audience(asked.to)
    draft = stores.campaigns.draft(asked.kind, asked.title.strip(), text, audience, asked.effective_on)
    console.show(*campaign_texts.dry_run(draft, stores.sender.preview(draft)))


def _text(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise MessageError(f"{file} cannot be read as text: {type(fault).__name__}") from None
    if not text.strip() or len(text.encode()) > MAX_TEXT_BYTES:
        raise MessageError(f"the text must not be empty and must have at most {MAX_TEXT_BYTES} bytes")
    return text


def show_status(asked: argparse.Namespace, stores: NoticeStores, console: Console) -> None:
    """Show the progress of one campaign, or of all."""
    if asked.campaign is None:
        for each in stores.campaigns.all():
            console.show(*campaign_texts.status(each))
        return
    last = ""
    while True:
        campaign = stores.campaigns.get(asked.campaign)
        result, line = campaign_texts.status(campaign)
        if line != last:
            console.show(result, line)
        if campaign.done or not asked.follow:
            return
        last = line
        time.sleep(FOLLOW_SECONDS)


def list_abandoned(asked: argparse.Namespace, stores: NoticeStores, console: Console) -> None:
    """Show the abandoned notices; with `asked.retry` queue them again."""
    for each in list(stores.outbox.abandoned()):
        console.show(*campaign_texts.abandoned(each))
        if asked.retry:
            stores.outbox.requeue(each)


def lift_suppression(asked: argparse.Namespace, stores: NoticeStores, console: Console) -> None:
    """Remove an address from our suppression list."""
    stores.suppressions.lift(asked.address)
    console.show({"lifted": True}, "Removed.")
    console.note("SES has its own list: aws sesv2 delete-suppressed-destination --email-address …")


def _stores(session: Session) -> NoticeStores:
    return notice_stores(session.settings(NoticeTables), session.dynamodb, session.clock)


def _send_notice(asked: argparse.Namespace, session: Session) -> None:
    """Draft a campaign and show its recipients and its mail. Then `--send ID` sends the draft.

    The function notifier mails it within minutes. After an interruption, run the same command again: it
    continues, and no account gets the notice twice. Each mail excludes people who have opted out of marketing
    or whose address bounced by then, whatever the dry run showed.
    """
    send_notice(asked, _stores(session), session.console)


def _notice_status(asked: argparse.Namespace, session: Session) -> None:
    """Show the progress of one campaign, or of all."""
    show_status(asked, _stores(session), session.console)


def _abandoned_notices(asked: argparse.Namespace, session: Session) -> None:
    """List notices that were abandoned after a day of failed attempts."""
    list_abandoned(asked, _stores(session), session.console)


def _lift_suppression(asked: argparse.Namespace, session: Session) -> None:
    """Remove an address from the suppression list."""
    lift_suppression(asked, _stores(session), session.console)


def _send_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", choices=KINDS, help="marketing reaches only people who opted in")
    parser.add_argument("--title", help="the subject of the mail, one line")
    parser.add_argument("--text-file", type=Path, help="the file with the text, UTF-8")
    parser.add_argument(
        "--to", default=ALL, metavar="all|plan=PLAN|tenant=ID", help="which accounts (default: all)"
    )
    parser.add_argument(
        "--effective-on", type=date.fromisoformat, metavar="YYYY-MM-DD", help="required for --kind policy"
    )
    parser.add_argument("--send", metavar="ID", help="send the draft with this id; repeat to continue")


def _status_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("campaign", nargs="?", metavar="id")
    parser.add_argument("--follow", action="store_true", help="show the progress until it is done")


def _abandoned_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--retry", action="store_true", help="send them again")


def _address_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address")


COMMANDS = (
    Command("send-notice", "draft a notice, or send a draft", _send_notice, _send_arguments),
    Command("notice-status", "show the progress of notices", _notice_status, _status_arguments),
    Command(
        "abandoned-notices", "list notices that were not mailed", _abandoned_notices, _abandoned_arguments
    ),
    Command("lift-suppression", "mail to a bounced address again", _lift_suppression, _address_argument),
)
