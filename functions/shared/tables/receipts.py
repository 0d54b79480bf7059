"""The table `receipts`: the status of each erasure, and the chain of receipts."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute
from functions.shared.tables.item import Item


class ReceiptItem(Item):
    """See functions.privacy.erasure.receipt_table; the item `head` has `number` and `hash` only."""

    receipt = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute(null=True)
    state = UnicodeAttribute(null=True)
    requested_at = IntegerAttribute(null=True)
    starts_at = IntegerAttribute(null=True)
    due_at = IntegerAttribute(null=True)
    forget_at = IntegerAttribute(null=True)
    document = UnicodeAttribute(null=True)
    number = IntegerAttribute(null=True)
    hash = UnicodeAttribute(null=True)
