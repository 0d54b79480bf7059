"""Between an erasure and billing: an account is to be closed, and it is.

Both stand in billing's item of the account, `account#<tenant>`. The erasure asks with `closing_requested_at`
and waits for `closed_at`, which billing sets once the last usage is billed, the subscription has ended and
the payment provider's customer is deleted. Then the erasure removes what is left of the item.
"""

from typing import Any, Literal

from botocore.exceptions import ClientError

from functions.shared.dynamo.answers import answered, unmet
from functions.shared.tenancy import TenantId

REQUESTED_AT = "closing_requested_at"
CLOSED_AT = "closed_at"

State = Literal["none", "open", "closed"]


def billing_entry(tenant: TenantId) -> str:
    """The partition key of billing's item of `tenant`."""
    return f"account#{tenant}"


class Closing:
    """Billing's table, as an erasure sees it. Every method raises StoreUnavailableError when DynamoDB fails.

    `client`: a boto3 client for DynamoDB.
    """

    def __init__(self, table: str, client: Any) -> None:
        self._table = table
        self._client = client

    def request(self, tenant: TenantId, now: float) -> None:
        """Ask billing to close the account; the same again changes nothing, and so does it where nothing is.

        `version` goes up by one, as with each write of billing's own: who decided on what is no longer so
        reads again.
        """
        try:
            with answered():
                self._client.update_item(
                    TableName=self._table,
                    Key=self._key(tenant),
                    UpdateExpression=f"SET {REQUESTED_AT} = :now ADD version :one",
                    ConditionExpression=f"attribute_exists(entry) AND attribute_not_exists({REQUESTED_AT})",
                    ExpressionAttributeValues={":now": {"N": str(int(now))}, ":one": {"N": "1"}},
                )
        except ClientError as fault:
            if not unmet(fault):
                raise

    def state(self, tenant: TenantId) -> State:
        """Whether billing knows the account, and is done with it; read consistently."""
        with answered():
            found = self._client.get_item(TableName=self._table, Key=self._key(tenant), ConsistentRead=True)
        if "Item" not in found:
            return "none"
        return "closed" if "N" in found["Item"].get(CLOSED_AT, {}) else "open"

    def _key(self, tenant: TenantId) -> dict[str, Any]:
        return {"entry": {"S": billing_entry(tenant)}}
