"""The table `saved-searches`: searches that people of an account gave a name."""

from pynamodb.attributes import BooleanAttribute, ListAttribute, UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute
from functions.shared.tables.item import Item


class SavedSearchItem(Item):
    """A saved search; see functions.accounts.saved_search.SavedSearch.

    `saved` is the only attribute of one entry of the account that is no search: how many it has.
    """

    tenant_id = UnicodeAttribute(hash_key=True)
    search_id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute(null=True)
    query_text = UnicodeAttribute(null=True)
    since = UnicodeAttribute(null=True)
    until = UnicodeAttribute(null=True)
    view = UnicodeAttribute(null=True)
    columns: ListAttribute[str] = ListAttribute(null=True)
    compare = BooleanAttribute(null=True)
    wrap = BooleanAttribute(null=True)
    created_at = IntegerAttribute(null=True)
    created_by = UnicodeAttribute(null=True)
    updated_at = IntegerAttribute(null=True)
    saved = IntegerAttribute(null=True)
