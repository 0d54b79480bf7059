"""One notice to many accounts: drafted, reviewed, then written to the outbox for each account.

A campaign is stored before anything is sent, so that what is sent is what was reviewed. Queueing it again
after a failed attempt visits all accounts again and changes nothing for those that have the notice: its id is
the id of the campaign. The recipients are decided when each mail is sent, not here. The notifier counts the
outcomes.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from functions.notices.outbox import CAMPAIGNS
from functions.shared.accounts.notice_outbox import KEEP_DAYS, SECONDS_A_DAY
from functions.shared.accounts.timestamps import timestamp_text
from functions.shared.errors import PermanentError
from functions.shared.tables.notices import CampaignItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table

DRAFT_DAYS = 7
"""How long a reviewed draft may be sent."""

DRAFTED, SENDING, QUEUED = "drafted", "sending", "queued"


class CampaignError(PermanentError):
    """The campaign does not exist, is too old, or was already sent; the message says which."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """`audience`: see functions.notices.audience. `accounts`: how many accounts it was queued for.

    `settled` and `abandoned` count accounts; `mailed`, `suppressed` and `opted_out` count their people.
    """

    campaign_id: str
    kind: str
    title: str
    text: str = field(repr=False)
    audience: str
    effective_on: date | None
    state: str
    drafted_at: str
    accounts: int = 0
    settled: int = 0
    abandoned: int = 0
    mailed: int = 0
    suppressed: int = 0
    opted_out: int = 0

    @property
    def done(self) -> bool:
        """Whether the notice of every account is settled or abandoned."""
        return self.state == QUEUED and self.settled + self.abandoned >= self.accounts


class Campaigns:
    """Every method raises StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    client: a boto3 client for DynamoDB; None for one that is made on first use.
    clock: seconds since 1970.
    """

    def __init__(self, notices_table: str, client: Any, clock: Callable[[], float]) -> None:
        self._table = Table(CampaignItem, notices_table, client)
        self._clock = clock

    def draft(self, kind: str, title: str, text: str, audience: str, effective_on: date | None) -> Campaign:
        """Store a new campaign; nothing is sent."""
        now = self._clock()
        campaign_id = f"c-{datetime.fromtimestamp(now, UTC):%Y%m%d}-{secrets.token_hex(3)}"
        drafted = Campaign(
            campaign_id, kind, title, text, audience, effective_on, DRAFTED, timestamp_text(now)
        )
        forget_at = int(now) + KEEP_DAYS * SECONDS_A_DAY
        self._table.put(_item(drafted, forget_at))
        return drafted

    def get(self, campaign_id: str) -> Campaign:
        """The campaign as it is now.

        Raises
        ------
        CampaignError: no campaign has this id.
        """
        found = self._table.get((CAMPAIGNS, campaign_id))
        if found is None or found.forget_at <= self._clock():
            raise CampaignError(f"there is no campaign {campaign_id}")
        return _campaign(found)

    def all(self) -> Iterator[Campaign]:
        """The campaigns of the last half year, newest first."""
        return map(_campaign, self._table.query(CAMPAIGNS, newest_first=True, consistent=False))

    def begin(self, campaign_id: str) -> Campaign:
        """Mark the campaign as being sent, and return it; may be called again after a failed attempt.

        Raises
        ------
        CampaignError: it was already sent, or was drafted too long ago.
        """
        campaign = self.get(campaign_id)
        oldest = timestamp_text(self._clock() - DRAFT_DAYS * SECONDS_A_DAY)
        if campaign.state == DRAFTED and campaign.drafted_at < oldest:
            raise CampaignError(f"{campaign_id} was drafted over {DRAFT_DAYS} days ago: draft it again")
        if not self._set_state(campaign_id, SENDING):
            raise CampaignError(f"{campaign_id} was sent already: see its status")
        return campaign

    def mark_queued(self, campaign_id: str, accounts: int) -> None:
        """Record that every account of the audience has its notice."""
        self._set_state(campaign_id, QUEUED, accounts)

    def _set_state(self, campaign_id: str, state: str, accounts: int = 0) -> bool:
        """Change the state of a campaign that is not queued yet; whether it was not."""
        try:
            self._table.update(
                (CAMPAIGNS, campaign_id),
                CampaignItem.state.set(state),
                CampaignItem.accounts.set(accounts),
                condition=CampaignItem.state.is_in(DRAFTED, SENDING),
            )
        except ConditionFailedError:
            return False
        return True


def _item(drafted: Campaign, forget_at: int) -> CampaignItem:
    return CampaignItem(
        CAMPAIGNS,
        drafted.campaign_id,
        kind=drafted.kind,
        title=drafted.title,
        text=drafted.text,
        audience=drafted.audience,
        state=drafted.state,
        drafted_at=drafted.drafted_at,
        effective_on=drafted.effective_on.isoformat() if drafted.effective_on else None,
        forget_at=forget_at,
    )


def _campaign(item: CampaignItem) -> Campaign:
    return Campaign(
        campaign_id=item.notice,
        kind=item.kind,
        title=item.title,
        text=item.text,
        audience=item.audience,
        effective_on=date.fromisoformat(item.effective_on) if item.effective_on else None,
        state=item.state,
        drafted_at=item.drafted_at,
        accounts=item.accounts or 0,
        settled=item.settled or 0,
        abandoned=item.abandoned or 0,
        mailed=item.mailed or 0,
        suppressed=item.suppressed or 0,
        opted_out=item.opted_out or 0,
    )
