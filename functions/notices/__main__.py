"""Send notices to customers, for the operator: `python -m functions.notices send …`, then `status`.

`send` drafts a campaign, shows its recipients and its mail, and sends nothing. `send --send ID` queues the
draft; the function `notifier` mails it within minutes. After an interruption, run the same command again: it
continues, and no account gets the notice twice. Each mail excludes people who have opted out of marketing or
whose address bounced by then, whatever the dry run showed.

Tables: environment variables (docs/notices.md). Credentials and region: as for the AWS CLI.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from functions.notices import console
from functions.notices.audience import ALL, AudienceAccounts, validate_audience
from functions.notices.campaigns import Campaigns
from functions.notices.outbox import Outbox
from functions.notices.recipients import Recipients
from functions.notices.sender import KINDS, CampaignSender
from functions.shared.accounts.announcements import Announcements
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.accounts.suppressions import Suppressions
from functions.shared.errors import AstralogError, PermanentError
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client

MAX_TITLE_CHARACTERS = 150
MAX_TEXT_BYTES = 50_000
PROGRESS_EVERY = 100
FOLLOW_SECONDS = 2.0


class MessageError(PermanentError):
    """The title, text or date of a campaign is invalid; the message says why."""


@dataclass(frozen=True, slots=True)
class Settings:
    accounts_table: str
    people_table: str
    notices_table: str
    suppressions_table: str
    announcements_table: str


@dataclass(frozen=True, slots=True)
class CommandContext:
    sender: CampaignSender
    campaigns: Campaigns
    outbox: Outbox
    suppressions: Suppressions
    clock: Callable[[], float]


def command_context(settings: Settings, client: Any, clock: Callable[[], float]) -> CommandContext:
    """Create the parts with one DynamoDB client."""
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
    return CommandContext(
        sender, campaigns, Outbox(settings.notices_table, client, clock), suppressions, clock
    )


def main(arguments: Sequence[str] | None = None, at: CommandContext | None = None) -> int:
    """Return 0 when done; 1 after an error, with a sentence on standard error."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.what == "send" and not asked.send and None in (asked.kind, asked.title, asked.text_file):
        parser.error("a draft needs --kind, --title and --text-file; to send a draft, use --send ID")
    try:
        _COMMANDS[asked.what](asked, at or command_context(load(Settings), open_client(), time.time))
    except AstralogError as fault:
        print(fault, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m functions.notices",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="what", required=True)
    send = commands.add_parser("send", help="draft and preview a campaign; with --send, send a draft")
    send.add_argument("--kind", choices=KINDS, help="marketing reaches only people who opted in")
    send.add_argument("--title", help="the subject of the mail, one line")
    send.add_argument("--text-file", type=Path, help="the file with the text, UTF-8")
    send.add_argument(
        "--to", default=ALL, metavar="all|plan=PLAN|tenant=ID", help="which accounts (default: all)"
    )
    send.add_argument(
        "--effective-on", type=date.fromisoformat, metavar="YYYY-MM-DD", help="required for --kind policy"
    )
    send.add_argument("--send", metavar="ID", help="send the draft with this id; repeat to continue")
    status = commands.add_parser("status", help="show the progress of one campaign, or of all")
    status.add_argument("campaign", nargs="?", metavar="id")
    status.add_argument("--follow", action="store_true", help="show the progress until it is done")
    abandoned = commands.add_parser("given-up", help="list notices abandoned after a day of failed attempts")
    abandoned.add_argument("--retry", action="store_true", help="send them again")
    lift = commands.add_parser("lift", help="remove an address from the suppression list")
    lift.add_argument("address")
    for command in (send, status, abandoned):
        command.add_argument("--json", action="store_true", help="print one JSON object per line")
    return parser


def _send(asked: argparse.Namespace, here: CommandContext) -> None:
    if not asked.send:
        _draft(asked, here)
        return

    def on_progress(count: int) -> None:
        if count % PROGRESS_EVERY == 0 and not asked.json:
            _say(f"{count} accounts so far")

    count = here.sender.send(asked.send, on_progress)
    _say(console.queued(count, here.campaigns.get(asked.send), asked.json))


def _draft(asked: argparse.Namespace, here: CommandContext) -> None:
    text = _text(asked.text_file)
    if not 1 <= len(asked.title.strip()) <= MAX_TITLE_CHARACTERS or not asked.title.isprintable():
        raise MessageError(f"the title must be a line of 1 to {MAX_TITLE_CHARACTERS} printable characters")
    today = datetime.fromtimestamp(here.clock(), UTC).date()
    if asked.kind == "policy" and asked.effective_on is None:
        raise MessageError("--kind policy needs --effective-on, the day from which the change applies")
    if asked.effective_on is not None and asked.effective_on < today:
        raise MessageError("--effective-on must be today or later")
    audience = validate_audience(asked.to)
    draft = here.campaigns.draft(asked.kind, asked.title.strip(), text, audience, asked.effective_on)
    _say(console.dry_run(draft, here.sender.preview(draft), asked.json))


def _text(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise MessageError(f"{file} cannot be read as text: {type(fault).__name__}") from None
    if not text.strip() or len(text.encode()) > MAX_TEXT_BYTES:
        raise MessageError(f"the text must not be empty and must have at most {MAX_TEXT_BYTES} bytes")
    return text


def _status(asked: argparse.Namespace, here: CommandContext) -> None:
    if asked.campaign is None:
        for each in here.campaigns.all():
            _say(console.status(each, asked.json))
        return
    last = ""
    while True:
        campaign = here.campaigns.get(asked.campaign)
        line = console.status(campaign, asked.json)
        if line != last:
            _say(line)
        if campaign.done or not asked.follow:
            return
        last = line
        time.sleep(FOLLOW_SECONDS)


def _list_abandoned(asked: argparse.Namespace, here: CommandContext) -> None:
    for each in list(here.outbox.abandoned()):
        _say(console.abandoned(each, asked.json))
        if asked.retry:
            here.outbox.requeue(each)


def _lift(asked: argparse.Namespace, here: CommandContext) -> None:
    here.suppressions.lift(asked.address)
    _say("Removed. SES has its own list: aws sesv2 delete-suppressed-destination --email-address …")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


_COMMANDS: dict[str, Callable[[argparse.Namespace, CommandContext], None]] = {
    "send": _send,
    "status": _status,
    "given-up": _list_abandoned,
    "lift": _lift,
}

if __name__ == "__main__":
    sys.exit(main())
