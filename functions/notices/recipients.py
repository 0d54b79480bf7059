"""The people of an account as recipients of mail, from the table of people.

The people of an account are found through an index, which lags slightly. Whether a person may be mailed, and
at which address, is read from the person's item each time, strongly consistent.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from functions.notices.unsubscribe_link import new_token
from functions.shared.dynamo.answers import answered, open_client, unmet
from functions.shared.tenancy import TenantId

OF_AN_ACCOUNT = "account"
BY_TOKEN = "unsubscribe"  # noqa: S105 - the name of an index

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person with a confirmed address. `token`: of their unsubscribe link, if they have one."""

    subject: str
    tenant: TenantId
    email: str = field(repr=False)
    marketing_opt_in: bool
    token: str | None = field(default=None, repr=False)


class Recipients:
    """Every method raises functions.shared.dynamo.answers.StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    client: a boto3 client for DynamoDB; None for one that is made on first use.
    """

    def __init__(self, people_table: str, client: Any = None) -> None:
        self._table = people_table
        self._client = client

    def subjects(self, tenant: TenantId) -> list[str]:
        """The people of the account, in a stable order."""
        pages = self._pages(
            "query",
            IndexName=OF_AN_ACCOUNT,
            KeyConditionExpression="tenant_id = :tenant",
            ExpressionAttributeValues={":tenant": {"S": str(tenant)}},
        )
        return [item["subject"]["S"] for item in pages]

    def get(self, subject: str) -> Recipient | None:
        """The current reader; None for an unknown person, or one without a confirmed address."""
        return _recipient(self._call("get_item", Key=_key(subject), ConsistentRead=True).get("Item", {}))

    def everyone(self) -> Iterator[Recipient]:
        """All readers of all accounts, by a scan of the table: for the operator."""
        for item in self._pages("scan"):
            if recipient := _recipient(item):
                yield recipient

    def with_token(self, recipient: Recipient) -> Recipient | None:
        """The reader with a token, existing or new; None when the person is gone meanwhile."""
        if recipient.token:
            return recipient
        try:
            changed = self._call(
                "update_item",
                Key=_key(recipient.subject),
                UpdateExpression="SET unsubscribe_token = if_not_exists(unsubscribe_token, :new)",
                ConditionExpression="tenant_id = :tenant",
                ExpressionAttributeValues={
                    ":new": {"S": new_token()},
                    ":tenant": {"S": str(recipient.tenant)},
                },
                ReturnValues="ALL_NEW",
            )
        except ClientError as fault:
            if not unmet(fault):
                raise
            return None
        return _recipient(changed["Attributes"])

    def by_token(self, token: str) -> Recipient | None:
        """The current reader whose link has this token."""
        found = self._call(
            "query",
            IndexName=BY_TOKEN,
            KeyConditionExpression="unsubscribe_token = :token",
            ExpressionAttributeValues={":token": {"S": token}},
        )["Items"]
        return self.get(found[0]["subject"]["S"]) if found else None

    def _pages(self, operation: str, **parameters: Any) -> Iterator[Item]:
        start: Item = {}
        while True:
            page = self._call(operation, **parameters, **start)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _call(self, operation: str, **parameters: Any) -> Any:
        self._client = self._client or open_client()
        with answered():
            return getattr(self._client, operation)(TableName=self._table, **parameters)


def _key(subject: str) -> Item:
    return {"subject": {"S": subject}}


def _recipient(item: Item) -> Recipient | None:
    if item.get("state", {}).get("S") != "confirmed":
        return None
    return Recipient(
        subject=item["subject"]["S"],
        tenant=TenantId(item["tenant_id"]["S"]),
        email=item["email"]["S"],
        marketing_opt_in=item["marketing_opt_in"]["BOOL"],
        token=item.get("unsubscribe_token", {}).get("S"),
    )
