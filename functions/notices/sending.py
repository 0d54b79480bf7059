"""What an operator does with a campaign: look at whom it would reach, and hand it to the outbox."""

from collections.abc import Callable
from dataclasses import dataclass, field

from functions.notices.audience import ALL, Accounts
from functions.notices.campaigns import Campaign, Campaigns
from functions.notices.readers import Reader, Readers
from functions.shared.account.announcements import Announcements
from functions.shared.account.notices import DOWNTIME, MARKETING, Notices
from functions.shared.account.suppressions import Suppressions

KINDS = (DOWNTIME, "service", "policy", MARKETING)
"""Of campaigns. All but marketing are shown in the dashboard and mailed whatever people chose."""

SAMPLE = 3


@dataclass(frozen=True, slots=True)
class Look:
    """Whom a campaign would reach now; `sample` are some of those who would be mailed."""

    accounts: int
    people: int
    mailed: int
    suppressed: int
    opted_out: int
    sample: tuple[Reader, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sending:
    campaigns: Campaigns
    accounts: Accounts
    readers: Readers
    suppressions: Suppressions
    notices: Notices
    announcements: Announcements

    def look(self, campaign: Campaign) -> Look:
        """Nothing is sent or written; raises StoreUnavailableError."""
        tenants = set(self.accounts.of(campaign.audience))
        readers = [each for each in self.readers.everyone() if each.tenant in tenants]
        wanting = [each for each in readers if campaign.kind != MARKETING or each.marketing_opt_in]
        mailed = [each for each in wanting if not self.suppressions.holds(each.email)]
        return Look(
            accounts=len(tenants),
            people=len(readers),
            mailed=len(mailed),
            suppressed=len(wanting) - len(mailed),
            opted_out=len(readers) - len(wanting),
            sample=tuple(mailed[:SAMPLE]),
        )

    def send(self, campaign_id: str, told: Callable[[int], None]) -> int:
        """Give each account of the audience its notice, and say of how many; `told` hears each count.

        The same again after it died, at whatever step, brings it to its end and nothing twice.

        Raises
        ------
        CampaignError: it is not to be sent, or not any more.
        StoreUnavailableError: the same again goes on.
        """
        campaign = self.campaigns.begin(campaign_id)
        shown = campaign.kind != MARKETING
        if shown and campaign.audience == ALL:
            # Once for everybody, those who sign up later among them.
            self.announcements.publish(
                None, campaign_id, campaign.kind, campaign.title, campaign.text, campaign.effective_on
            )
        count = 0
        for count, tenant in enumerate(self.accounts.of(campaign.audience), 1):
            self.notices.put(
                tenant,
                campaign_id,
                campaign.kind,
                campaign.title,
                campaign.text,
                announce=shown and campaign.audience != ALL,
                effective_on=campaign.effective_on,
                campaign=campaign_id,
            )
            told(count)
        self.campaigns.queued(campaign_id, count)
        return count
