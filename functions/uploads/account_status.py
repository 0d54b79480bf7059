"""Account status of the accounts whose files are read: plan, whether logs are accepted, and retention."""

from dataclasses import replace
from typing import Any

from functions.shared.accounts.account_status import ACCOUNT_CLOSING, AccountStatus, account_status_of
from functions.shared.dynamo.answers import answered, open_client
from functions.shared.tenancy import TenantId


class AccountStatuses:
    """Reads the table of accounts; raises StoreUnavailableError when DynamoDB fails."""

    def __init__(self, table: str, client: Any = None) -> None:
        self._table = table
        self._client = client or open_client()

    def of(self, tenant: TenantId) -> AccountStatus | None:
        """The status of `tenant`; None when there is no such account."""
        with answered():
            found = self._client.get_item(
                TableName=self._table, Key={"tenant_id": {"S": str(tenant)}}, ConsistentRead=True
            )
        item = found.get("Item")
        return _standing(item) if item else None


def _standing(item: dict[str, Any]) -> AccountStatus:
    """The status in `item`; an account rejects files from the moment that its erasure is requested."""
    account_status = account_status_of(item)
    if "closes_at" not in item:
        return account_status
    return replace(account_status, accepts_until=0, end_reason=ACCOUNT_CLOSING)
