"""What erasures write into the table of accounts: that one will close, that it stays, that it is gone."""

from typing import Any

from botocore.exceptions import ClientError

from functions.privacy.erasure.record import Erasure, Item
from functions.shared.dynamo.answers import answered, unmet
from functions.shared.tenancy import TenantId


class AccountMarks:
    """`closes_at` and `closed` of an account's item; all else is others'.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    """

    def __init__(self, accounts_table: str, client: Any) -> None:
        self._table = accounts_table
        self._client = client

    def closes(self, erasure: Erasure) -> Item:
        """That it takes no logs any more, as an item of TransactWriteItems; that is asked for once."""
        return {
            "Update": {
                **self._account(erasure.tenant),
                "UpdateExpression": "SET closes_at = :at",
                "ConditionExpression": "attribute_exists(tenant_id) AND attribute_not_exists(closes_at)",
                "ExpressionAttributeValues": {":at": {"N": str(erasure.starts_at)}},
            }
        }

    def stays(self, tenant: TenantId) -> Item:
        """That it takes logs again, as an item of TransactWriteItems, unless it is closed."""
        return {
            "Update": {
                **self._account(tenant),
                "UpdateExpression": "REMOVE closes_at",
                "ConditionExpression": "attribute_exists(closes_at) AND attribute_not_exists(closed)",
            }
        }

    def close(self, tenant: TenantId) -> None:
        """From now on the account is there for nobody: no key and no session of it is good.

        The item stays until billing has closed the account; where there is none, none is made.
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
