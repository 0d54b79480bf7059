"""The accounts of a campaign: `all`, `plan=<plan>` or `tenant=<id>`."""

from collections.abc import Iterator
from typing import Any

from functions.shared.errors import PermanentError
from functions.shared.plans import PLANS
from functions.shared.tables.accounts import AccountItem
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId

ALL = "all"


class AudienceError(PermanentError):
    """The audience is invalid; the message names the allowed values."""


def validate_audience(audience: str) -> str:
    """Return `audience` if it is valid.

    Raises
    ------
    AudienceError
    """
    what, _, name = audience.partition("=")
    if audience == ALL or (what == "plan" and name in PLANS):
        return audience
    if what == "tenant":
        TenantId(name)
        return audience
    raise AudienceError(f"the audience must be all, tenant=<id> or plan=<{'|'.join(PLANS)}>, not {audience}")


class AudienceAccounts:
    """The table of accounts.

    Parameters
    ----------
    client: a boto3 client for DynamoDB; None for one that is made on first use.
    """

    def __init__(self, accounts_table: str, client: Any = None) -> None:
        self._table = Table(AccountItem, accounts_table, client)

    def of(self, audience: str) -> Iterator[TenantId]:
        """Each account of `audience`, by a scan of the table; without closed accounts: they are being erased.

        Raises
        ------
        StoreUnavailableError
        """
        what, _, name = audience.partition("=")
        attributes = ("tenant_id", "plan", "closed")
        for item in self._table.scan(attributes=attributes, consistent=False):
            if item.closed:
                continue
            tenant, plan = TenantId(item.tenant_id), item.plan
            if what == ALL or {"plan": plan, "tenant": tenant}[what] == name:
                yield tenant
