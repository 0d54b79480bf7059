"""To whom mail about an account goes: the confirmed people of it, in the table of people."""

from typing import Any

from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId


class AddresseesUnavailableError(RetryableError):
    """DynamoDB gave no answer, or asks us to slow down."""


class Addressees:
    """Looks through the whole table: for what is seldom, such as an outage."""

    def __init__(self, people_table: str, dynamodb: Any = None) -> None:
        self._table = people_table
        self._dynamodb = dynamodb

    def of(self, tenant: TenantId) -> list[str]:
        """The e-mail addresses, each once, in alphabetical order.

        Raises
        ------
        AddresseesUnavailableError
        """
        found: set[str] = set()
        start: dict[str, Any] = {}
        while True:
            page = self._page(tenant, start)
            found.update(item["email"]["S"] for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return sorted(found)
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _page(self, tenant: TenantId, start: dict[str, Any]) -> Any:
        self._dynamodb = self._dynamodb or client("dynamodb")
        return asked(
            lambda: self._dynamodb.scan(
                TableName=self._table,
                FilterExpression="tenant_id = :tenant AND #state = :confirmed",
                ProjectionExpression="email",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":tenant": {"S": str(tenant)}, ":confirmed": {"S": "confirmed"}},
                **start,
            ),
            lambda code: AddresseesUnavailableError(f"the table of people: {code}"),
        )
