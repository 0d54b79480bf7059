"""What erasures write into the table of accounts: the account will close, stays open, or is closed."""

from typing import Any

from botocore.exceptions import ClientError

from functions.privacy.erasure.record import Erasure, Item
from functions.shared.dynamo.answers import answered, unmet
from functions.shared.tenancy import TenantId


class AccountMarks:
    """`closes_at` and `closed` of an account's item; other code owns the other attributes.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, accounts_table: str, client: Any) -> None:
        self._table = accounts_table
        self._client = client

    def closes(self, erasure: Erasure) -> Item:
        """Stop accepting logs, as an item of TransactWriteItems; fails if the account already closes."""
        return {
            "Update": {
                **self._account(erasure.tenant),
                "UpdateExpression": "SET closes_at = :at",
                "ConditionExpression": "attribute_exists(tenant_id) AND attribute_not_exists(closes_at)",
                "ExpressionAttributeValues": {":at": {"N": str(erasure.starts_at)}},
            }
        }

    def stays(self, tenant: TenantId) -> Item:
        """Accept logs again, as an item of TransactWriteItems, unless the account is closed."""
        return {
            "Update": {
                **self._account(tenant),
                "UpdateExpression": "REMOVE closes_at",
                "ConditionExpression": "attribute_exists(closes_at) AND attribute_not_exists(closed)",
            }
        }

    def close(self, tenant: TenantId) -> None:
        """Close the account: from now on none of its keys and sessions is valid.

        The item stays until billing has closed the account. If there is no item, none is created.
        """
        try:
            with answered():
                self._client.update_item(
                    **self._account(tenant),
                    UpdateExpression="SET closed = :true",
                    ConditionExpression="attribute_exists(tenant_id)",
                    ExpressionAttributeValues={":true": {"BOOL": True}},
                )
        except ClientError as fault:
            if not unmet(fault):
                raise

    def _account(self, tenant: TenantId) -> Item:
        return {"TableName": self._table, "Key": {"tenant_id": {"S": str(tenant)}}}
