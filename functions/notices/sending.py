"""The operator's actions on a campaign: preview its recipients, and queue it in the outbox."""

from collections.abc import Callable
from dataclasses import dataclass, field

from functions.notices.audience import ALL, Accounts
from functions.notices.campaigns import Campaign, Campaigns
from functions.notices.readers import Reader, Readers
from functions.shared.account.announcements import Announcements
from functions.shared.account.notices import DOWNTIME, MARKETING, Notices
from functions.shared.account.suppressions import Suppressions

KINDS = (DOWNTIME, "service", "policy", MARKETING)
"""Kinds of campaigns. All but marketing are shown in the dashboard and mailed regardless of opt-in."""

SAMPLE = 3


@dataclass(frozen=True, slots=True)
class Look:
    """The recipients of a campaign if it were sent now; `sample`: some of those who would be mailed."""

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
        """Preview the recipients. Nothing is sent or written; raises StoreUnavailableError."""
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
        """Write the notice for each account of the audience; return how many. `told` receives each count.

        A repeated call after a failure, at any step, completes the campaign without duplicates.

        Raises
        ------
        CampaignError: it must not be sent, or not any more.
        StoreUnavailableError: a repeated call continues.
        """
        campaign = self.campaigns.begin(campaign_id)
        shown = campaign.kind != MARKETING
        if shown and campaign.audience == ALL:
            # One announcement for all accounts, including later sign-ups.
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
