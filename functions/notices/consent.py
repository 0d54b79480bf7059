"""Withdraw a reader's consent to marketing: the change and its entry in the audit trail."""

from typing import Any

from functions.notices.recipients import Recipient
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.tables.people import PersonItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import write_all


class MarketingConsent:
    """`client`: a boto3 client for DynamoDB."""

    def __init__(self, people_table: str, audit: AuditTrail, client: Any) -> None:
        self._people = Table(PersonItem, people_table, client)
        self._audit = audit
        self._client = client

    def withdraw(self, recipient: Recipient, who: Origin) -> bool:
        """Stop marketing mail to `recipient`; return whether anything changed.

        Raises
        ------
        StoreUnavailableError: the outcome is unknown; the call may be repeated.
        """
        update = self._people.write_of_update(
            recipient.subject,
            PersonItem.marketing_opt_in.set(False),
            condition=(PersonItem.tenant_id == str(recipient.tenant)) & (PersonItem.marketing_opt_in == True),  # noqa: E712 - a condition, not a comparison
        )
        entry = self._audit.entry(recipient.tenant, who, "account.marketing_changed", "opted_out")
        try:
            write_all(self._client, [update, entry])
        except ConditionFailedError:
            return False
        return True
