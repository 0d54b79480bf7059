"""The table `usage`: what each tenant stored by day and in total, and the part reported to Stripe."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute, ItemMap
from functions.shared.tables.item import Item


class PendingReportMap(ItemMap):
    """See functions.billing.reporting.reported_usage.PendingReport."""

    identifier = UnicodeAttribute()
    value_bytes = IntegerAttribute()
    customer_id = UnicodeAttribute()
    began_at = IntegerAttribute()
    first_dated = IntegerAttribute()
    last_dated = IntegerAttribute()


class UsageItem(Item):
    """Sums of a day or in total; or, as entry `reported`, what functions.billing.reporting has reported.

    `report`: of a reconciliation, in the partition `*`.
    """

    tenant_id = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    rows = IntegerAttribute(null=True)
    raw_bytes = IntegerAttribute(null=True, attr_name="bytes")
    own_rows = IntegerAttribute(null=True)
    own_bytes = IntegerAttribute(null=True)
    report = UnicodeAttribute(null=True)
    version = IntegerAttribute(null=True)
    subscription_id = UnicodeAttribute(null=True)
    customer_id = UnicodeAttribute(null=True)
    landed_bytes = IntegerAttribute(null=True)
    waived_bytes = IntegerAttribute(null=True)
    earlier_bytes = IntegerAttribute(null=True)
    first_dated = IntegerAttribute(null=True)
    last_dated = IntegerAttribute(null=True)
    last_bytes = IntegerAttribute(null=True)
    period_start = IntegerAttribute(null=True)
    period_bytes = IntegerAttribute(null=True)
    pending = PendingReportMap(null=True)
