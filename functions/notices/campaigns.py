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

from botocore.exceptions import ClientError

from functions.notices.outbox import ABANDONED, CAMPAIGNS
from functions.shared.accounts.notice_outbox import KEEP_DAYS, SECONDS_A_DAY, SETTLED
from functions.shared.accounts.timestamps import timestamp_text
from functions.shared.dynamo.answers import answered, open_client, unmet
from functions.shared.errors import PermanentError

DRAFT_DAYS = 7
"""How long a reviewed draft may be sent."""

DRAFTED, SENDING, QUEUED = "drafted", "sending", "queued"

COUNTS = ("accounts", SETTLED, ABANDONED, "mailed", "suppressed", "opted_out")

Item = dict[str, Any]


class CampaignError(PermanentError):
    """The campaign does not exist, is too old, or was already sent; the message says which."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """`audience`: see functions.notices.audience. `accounts`: how many accounts it was queued for.

    `settled` and `given_up` count accounts; `mailed`, `suppressed` and `opted_out` count their people.
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
    given_up: int = 0
    mailed: int = 0
    suppressed: int = 0
    opted_out: int = 0

    @property
    def done(self) -> bool:
        """Whether the notice of every account is settled or abandoned."""
        return self.state == QUEUED and self.settled + self.given_up >= self.accounts


class Campaigns:
    """Every method raises functions.shared.dynamo.answers.StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    client: a boto3 client for DynamoDB; None for one that is made on first use.
    clock: seconds since 1970.
    """

    def __init__(self, notices_table: str, client: Any, clock: Callable[[], float]) -> None:
        self._table = notices_table
        self._client = client or open_client()
        self._clock = clock

    def draft(self, kind: str, title: str, text: str, audience: str, effective_on: date | None) -> Campaign:
        """Store a new campaign; nothing is sent."""
        now = self._clock()
        campaign_id = f"c-{datetime.fromtimestamp(now, UTC):%Y%m%d}-{secrets.token_hex(3)}"
        drafted = Campaign(
            campaign_id, kind, title, text, audience, effective_on, DRAFTED, timestamp_text(now)
        )
        forget_at = int(now) + KEEP_DAYS * SECONDS_A_DAY
        with answered():
            self._client.put_item(TableName=self._table, Item=_item(drafted, forget_at))
        return drafted

    def get(self, campaign_id: str) -> Campaign:
        """The campaign as it is now.

        Raises
        ------
        CampaignError: no campaign has this id.
        """
        with answered():
            found = self._client.get_item(
                TableName=self._table, Key=_key(campaign_id), ConsistentRead=True
            ).get("Item")
        if found is None or int(found["forget_at"]["N"]) <= self._clock():
            raise CampaignError(f"there is no campaign {campaign_id}")
        return _campaign(found)

    def all(self) -> Iterator[Campaign]:
        """The campaigns of the last half year, newest first."""
        parameters: Item = {
            "KeyConditionExpression": "tenant_id = :campaigns",
            "ExpressionAttributeValues": {":campaigns": {"S": CAMPAIGNS}},
            "ScanIndexForward": False,
        }
        while True:
            with answered():
                page = self._client.query(TableName=self._table, **parameters)
            yield from (_campaign(item) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]

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
        if not self._set_state(campaign_id, SENDING, "#state IN (:drafted, :sending)"):
            raise CampaignError(f"{campaign_id} was sent already: see its status")
        return campaign

    def mark_queued(self, campaign_id: str, accounts: int) -> None:
        """Record that every account of the audience has its notice."""
        self._set_state(campaign_id, QUEUED, "#state IN (:drafted, :sending)", accounts)

    def _set_state(self, campaign_id: str, state: str, condition: str, accounts: int = 0) -> bool:
        try:
            with answered():
                self._client.update_item(
                    TableName=self._table,
                    Key=_key(campaign_id),
                    UpdateExpression="SET #state = :state, accounts = :accounts",
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues={
                        ":state": {"S": state},
                        ":accounts": {"N": str(accounts)},
                        ":drafted": {"S": DRAFTED},
                        ":sending": {"S": SENDING},
                    },
                )
        except ClientError as fault:
            if not unmet(fault):
                raise
            return False
        return True


def _key(campaign_id: str) -> Item:
    return {"tenant_id": {"S": CAMPAIGNS}, "notice": {"S": campaign_id}}


def _item(drafted: Campaign, forget_at: int) -> Item:
    texts = {
        "kind": drafted.kind,
        "title": drafted.title,
        "text": drafted.text,
        "audience": drafted.audience,
        "state": drafted.state,
        "drafted_at": drafted.drafted_at,
        **({"effective_on": drafted.effective_on.isoformat()} if drafted.effective_on else {}),
    }
    return {
        **_key(drafted.campaign_id),
        **{name: {"S": value} for name, value in texts.items()},
        "forget_at": {"N": str(forget_at)},
    }


def _campaign(item: Item) -> Campaign:
    effective_on = item.get("effective_on", {}).get("S")
    texts = {name: item[name]["S"] for name in ("kind", "title", "text", "audience", "state", "drafted_at")}
    counts = {name: int(item.get(name, {}).get("N", 0)) for name in COUNTS}
    held: Item = {**texts, **counts}
    return Campaign(
        campaign_id=item["notice"]["S"],
        effective_on=date.fromisoformat(effective_on) if effective_on else None,
        **held,
    )
