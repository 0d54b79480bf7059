"""The people of an account as recipients of mail, from the table of people.

The people of an account are found through an index, which lags slightly. Whether a person may be mailed, and
at which address, is read from the person's item each time, strongly consistent.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from functions.notices.unsubscribe_link import new_token
from functions.shared.tables.people import ACCOUNT_INDEX, UNSUBSCRIBE_INDEX, PersonItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tenancy import TenantId


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person with a confirmed address. `token`: of their unsubscribe link, if they have one."""

    subject: str
    tenant: TenantId
    email: str = field(repr=False)
    marketing_opt_in: bool
    token: str | None = field(default=None, repr=False)


class Recipients:
    """Every method raises StoreUnavailableError when DynamoDB fails.

    Parameters
    ----------
    client: a boto3 client for DynamoDB; None for one that is made on first use.
    """

    def __init__(self, people_table: str, client: Any = None) -> None:
        self._table = Table(PersonItem, people_table, client)

    def subjects(self, tenant: TenantId) -> list[str]:
        """The people of the account, in a stable order."""
        return [item.subject for item in self._table.query(str(tenant), index=ACCOUNT_INDEX)]

    def get(self, subject: str) -> Recipient | None:
        """The current reader; None for an unknown person, or one without a confirmed address."""
        return _recipient(self._table.get(subject))

    def everyone(self) -> Iterator[Recipient]:
        """All readers of all accounts, by a scan of the table: for the operator."""
        for item in self._table.scan(consistent=False):
            if recipient := _recipient(item):
                yield recipient

    def with_token(self, recipient: Recipient) -> Recipient | None:
        """The reader with a token, existing or new; None when the person is gone meanwhile."""
        if recipient.token:
            return recipient
        token = PersonItem.unsubscribe_token
        try:
            changed = self._table.update_and_get(
                recipient.subject,
                token.set(token | new_token()),
                condition=PersonItem.tenant_id == str(recipient.tenant),
            )
        except ConditionFailedError:
            return None
        return _recipient(changed)

    def by_token(self, token: str) -> Recipient | None:
        """The current reader whose link has this token."""
        found = next(self._table.query(token, index=UNSUBSCRIBE_INDEX), None)
        return self.get(found.subject) if found else None


def _recipient(item: PersonItem | None) -> Recipient | None:
    if item is None or item.state != "confirmed":
        return None
    return Recipient(
        subject=item.subject,
        tenant=TenantId(item.tenant_id),
        email=item.email,
        marketing_opt_in=item.marketing_opt_in,
        token=item.unsubscribe_token,
    )
