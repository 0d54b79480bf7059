"""Withdraw a reader's consent to marketing: the change and its entry in the audit trail."""

from typing import Any

from functions.notices.recipients import Recipient
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.dynamo.transaction import UnmetError, write_all


class MarketingConsent:
    """`client`: a boto3 client for DynamoDB."""

    def __init__(self, people_table: str, audit: AuditTrail, client: Any) -> None:
        self._table = people_table
        self._audit = audit
        self._client = client

    def withdraw(self, recipient: Recipient, who: Origin) -> bool:
        """Stop marketing mail to `recipient`; return whether anything changed.

        Raises
        ------
        StoreUnavailableError: the outcome is unknown; the call may be repeated.
        """
        update = {
            "TableName": self._table,
            "Key": {"subject": {"S": recipient.subject}},
            "UpdateExpression": "SET marketing_opt_in = :no",
            "ConditionExpression": "tenant_id = :tenant AND marketing_opt_in = :yes",
            "ExpressionAttributeValues": {
                ":no": {"BOOL": False},
                ":yes": {"BOOL": True},
                ":tenant": {"S": str(recipient.tenant)},
            },
        }
        entry = self._audit.entry(recipient.tenant, who, "account.marketing_changed", "opted_out")
        try:
            write_all(self._client, [{"Update": update}, entry])
        except UnmetError:
            return False
        return True
