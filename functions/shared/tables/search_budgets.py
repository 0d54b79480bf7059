"""The table `search-budgets`: what searches of an account, and of each of its callers, have read."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute
from functions.shared.tables.item import Item


class SearchBudgetItem(Item):
    """`entry`: `account`, `key:<id>` or `person:<subject>`.

    `paid_ms`: see functions.query.limits.row_budget.
    """

    tenant_id = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    paid_ms = IntegerAttribute()
    forget_at = IntegerAttribute()
