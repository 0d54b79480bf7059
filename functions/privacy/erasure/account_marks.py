"""What erasures write into the table of accounts: the account will close, stays open, or is closed."""

from contextlib import suppress
from typing import Any

from functions.privacy.erasure.record import Erasure
from functions.shared.tables.accounts import AccountItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write
from functions.shared.tenancy import TenantId

_EXISTS = AccountItem.tenant_id.exists()


class AccountMarks:
    """`closes_at` and `closed` of an account's item; other code owns the other attributes.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, accounts_table: str, client: Any) -> None:
        self._table = Table(AccountItem, accounts_table, client)

    def closes(self, erasure: Erasure) -> Write:
        """Stop accepting logs, as a write of a transaction; fails if the account already closes."""
        return self._table.write_of_update(
            str(erasure.tenant),
            AccountItem.closes_at.set(erasure.starts_at),
            condition=_EXISTS & AccountItem.closes_at.does_not_exist(),
        )

    def stays(self, tenant: TenantId) -> Write:
        """Accept logs again, as a write of a transaction, unless the account is closed."""
        return self._table.write_of_update(
            str(tenant),
            AccountItem.closes_at.remove(),
            condition=AccountItem.closes_at.exists() & AccountItem.closed.does_not_exist(),
        )

    def close(self, tenant: TenantId) -> None:
        """Close the account: from now on none of its keys and sessions is valid.

        The item stays until billing has closed the account. If there is no item, none is created.
        """
        with suppress(ConditionFailedError):
            self._table.update(str(tenant), AccountItem.closed.set(True), condition=_EXISTS)
