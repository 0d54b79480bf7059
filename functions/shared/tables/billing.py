"""The table `billing`: the billing record of each account, and the account of each Stripe customer."""

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute, ItemMap, TextSetAttribute
from functions.shared.tables.item import Item
from functions.shared.tenancy import TenantId

ACCOUNT, CUSTOMER = "account#", "customer#"


class SubscriptionMap(ItemMap):
    """See functions.billing.subscriptions.subscription.Subscription."""

    subscription_id = UnicodeAttribute()
    status = UnicodeAttribute()
    plan = UnicodeAttribute()
    started_at = IntegerAttribute()
    period_start = IntegerAttribute()
    period_end = IntegerAttribute()
    meters = BooleanAttribute()
    trial_end = IntegerAttribute(null=True)
    ends_at = IntegerAttribute(null=True)
    ended_at = IntegerAttribute(null=True)
    owes_since = IntegerAttribute(null=True)
    failed_payments = IntegerAttribute()
    tries_again_at = IntegerAttribute(null=True)


class BillingItem(Item):
    """See functions.billing.subscriptions.billing_record. An item `customer#<id>` has `tenant_id` only."""

    entry = UnicodeAttribute(hash_key=True)
    tenant_id = UnicodeAttribute()
    version = IntegerAttribute(null=True)
    customer_id = UnicodeAttribute(null=True)
    subscription = SubscriptionMap(null=True)
    looked_at = IntegerAttribute(null=True)
    soft_cap_bytes = IntegerAttribute(null=True)
    hard_cap_bytes = IntegerAttribute(null=True)
    checkout_session = UnicodeAttribute(null=True)
    checkout_at = IntegerAttribute(null=True)
    noted = TextSetAttribute()
    reminders_sent = TextSetAttribute(attr_name="told")
    closing_requested_at = IntegerAttribute(null=True)
    closed_at = IntegerAttribute(null=True)


def account_entry(tenant: TenantId) -> str:
    """The key of an account's billing record."""
    return f"{ACCOUNT}{tenant}"


def customer_entry(customer: str) -> str:
    """The key of the item that names the account of a Stripe customer."""
    return f"{CUSTOMER}{customer}"
