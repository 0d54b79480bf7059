"""The accounts of a campaign: `all`, `plan=<plan>` or `tenant=<id>`."""

from collections.abc import Iterator
from typing import Any

from functions.shared.dynamo.answers import answered, open_client
from functions.shared.errors import PermanentError
from functions.shared.plans import PLANS
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
        self._table = accounts_table
        self._client = client or open_client()

    def of(self, audience: str) -> Iterator[TenantId]:
        """Each account of `audience`, by a scan of the table; without closed accounts: they are being erased.

        Raises
        ------
        StoreUnavailableError
        """
        what, _, name = audience.partition("=")
        for tenant, plan in self._all():
            if what == ALL or {"plan": plan, "tenant": tenant}[what] == name:
                yield tenant

    def _all(self) -> Iterator[tuple[TenantId, str]]:
        start: dict[str, Any] = {}
        while True:
            with answered():
                page = self._client.scan(
                    TableName=self._table,
                    ProjectionExpression="tenant_id, #plan, closed",
                    ExpressionAttributeNames={"#plan": "plan"},
                    **start,
                )
            for item in page["Items"]:
                if "closed" in item:
                    continue
                yield TenantId(item["tenant_id"]["S"]), item["plan"]["S"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
