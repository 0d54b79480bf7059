"""Taking back the wish for marketing, on a reader's behalf: the change and its entry in the audit trail."""

from typing import Any

from functions.notices.readers import Reader
from functions.shared.account.audit import Audit, Origin
from functions.shared.dynamo.transaction import UnmetError, write_all


class Consent:
    """`client`: a boto3 client for DynamoDB."""

    def __init__(self, people_table: str, audit: Audit, client: Any) -> None:
        self._table = people_table
        self._audit = audit
        self._client = client

    def withdraw(self, reader: Reader, who: Origin) -> bool:
        """Mail no marketing to `reader` from now on; whether anything changed.

        Raises
        ------
        StoreUnavailableError: it may or may not have been done; the same again does no harm.
        """
        update = {
            "TableName": self._table,
            "Key": {"subject": {"S": reader.subject}},
            "UpdateExpression": "SET marketing_opt_in = :no",
            "ConditionExpression": "tenant_id = :tenant AND marketing_opt_in = :yes",
            "ExpressionAttributeValues": {
                ":no": {"BOOL": False},
                ":yes": {"BOOL": True},
                ":tenant": {"S": str(reader.tenant)},
            },
        }
        entry = self._audit.entry(reader.tenant, who, "account.marketing_changed", "opted_out")
        try:
            write_all(self._client, [{"Update": update}, entry])
        except UnmetError:
            return False
        return True
