"""Items of the table of accounts, encoded as functions.shared.tables.accounts writes them."""

from typing import Any

from functions.shared.accounts.account_status import AccountStatus
from functions.shared.accounts.retention_terms import RetentionTerms
from functions.shared.tables.accounts import AccountItem, RetentionStepMap, account_status_values


def account_item(tenant: str, standing: AccountStatus, terms: RetentionTerms | None = None) -> dict[str, Any]:
    """The item of an account with this status, for a boto3 client."""
    steps = [RetentionStepMap(since=each.since, days=each.days) for each in terms.steps] if terms else None
    return AccountItem(tenant, retention_steps=steps, **account_status_values(standing)).serialize()


def account_of(item: dict[str, Any]) -> AccountItem:
    """An item that a boto3 client returned."""
    return AccountItem.from_raw_data(item)
