"""The operator's actions on a campaign: preview its recipients, and queue it in the outbox."""

from collections.abc import Callable
from dataclasses import dataclass, field

from functions.notices.audience import ALL, AudienceAccounts
from functions.notices.campaigns import Campaign, Campaigns
from functions.notices.recipients import Recipient, Recipients
from functions.shared.accounts.announcements import Announcements
from functions.shared.accounts.notice_outbox import DOWNTIME, MARKETING, NoticeOutbox
from functions.shared.accounts.suppressions import Suppressions

KINDS = (DOWNTIME, "service", "policy", MARKETING)
"""Kinds of campaigns. All but marketing are shown in the dashboard and mailed regardless of opt-in."""

SAMPLE = 3


@dataclass(frozen=True, slots=True)
class CampaignPreview:
    """The recipients of a campaign if it were sent now; `sample`: some of those who would be mailed."""

    accounts: int
    people: int
    mailed: int
    suppressed: int
    opted_out: int
    sample: tuple[Recipient, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CampaignSender:
    campaigns: Campaigns
    accounts: AudienceAccounts
    recipients: Recipients
    suppressions: Suppressions
    notices: NoticeOutbox
    announcements: Announcements

    def preview(self, campaign: Campaign) -> CampaignPreview:
        """Preview the recipients. Nothing is sent or written; raises StoreUnavailableError."""
        tenants = set(self.accounts.of(campaign.audience))
        recipients = [each for each in self.recipients.everyone() if each.tenant in tenants]
        wanting = [each for each in recipients if campaign.kind != MARKETING or each.marketing_opt_in]
        mailed = [each for each in wanting if not self.suppressions.holds(each.email)]
        return CampaignPreview(
            accounts=len(tenants),
            people=len(recipients),
            mailed=len(mailed),
            suppressed=len(wanting) - len(mailed),
            opted_out=len(recipients) - len(wanting),
            sample=tuple(mailed[:SAMPLE]),
        )

    def send(self, campaign_id: str, on_progress: Callable[[int], None]) -> int:
        """Write the notice for each account of the audience; return how many. `on_progress` gets each count.

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
            on_progress(count)
        self.campaigns.mark_queued(campaign_id, count)
        return count
