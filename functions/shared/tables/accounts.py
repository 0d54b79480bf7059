"""The table `accounts`: one item per account, with its status, which the authorizer reads at each request."""

from typing import Any

from pynamodb.attributes import BooleanAttribute, ListAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from functions.shared.accounts.account_status import QUOTA_EXCEEDED, AccountStatus
from functions.shared.accounts.retention_terms import RetentionStep, RetentionTerms, days_of_status
from functions.shared.tables.attributes import IntegerAttribute, ItemMap, NullableIntegerAttribute
from functions.shared.tables.item import Item


class RetentionStepMap(ItemMap):
    """See functions.shared.accounts.retention_terms.RetentionStep."""

    since = IntegerAttribute()
    days = IntegerAttribute()


class AccountItem(Item):
    """Times in Unix seconds.

    The status and `retention_steps` are billing's. `owner`: subject of the person who owns the account.
    `closes_at`: when the requested erasure begins. `closed`: the erasure is in progress.
    """

    tenant_id = UnicodeAttribute(hash_key=True)
    plan = UnicodeAttribute(null=True)
    retention_days = IntegerAttribute(null=True)
    bytes_per_second = IntegerAttribute(null=True)
    accepts_until = NullableIntegerAttribute()
    end_reason = UnicodeAttribute(null=True)
    capped_until = NullableIntegerAttribute()
    cap_left_bytes = NullableIntegerAttribute()
    cap_left_until = NullableIntegerAttribute()
    cap_reason = UnicodeAttribute(null=True)
    retention_steps: ListAttribute[RetentionStepMap] = ListAttribute(of=RetentionStepMap, null=True)
    owner = UnicodeAttribute(null=True)
    created_at = IntegerAttribute(null=True)
    closes_at = IntegerAttribute(null=True)
    closed = BooleanAttribute(null=True)


def account_status_of(item: AccountItem) -> AccountStatus:
    """The account status in an account's item."""
    return AccountStatus(
        plan=item.plan,
        retention_days=item.retention_days,
        bytes_per_second=item.bytes_per_second,
        accepts_until=item.accepts_until,
        end_reason=item.end_reason or "",
        capped_until=item.capped_until,
        cap_left_bytes=item.cap_left_bytes,
        cap_left_until=item.cap_left_until,
        cap_reason=item.cap_reason or QUOTA_EXCEEDED,
    )


def account_status_values(status: AccountStatus) -> dict[str, Any]:
    """The attributes of an account's item that hold its status."""
    return {
        "plan": status.plan,
        "retention_days": status.retention_days,
        "bytes_per_second": status.bytes_per_second,
        "accepts_until": status.accepts_until,
        "end_reason": status.end_reason,
        "capped_until": status.capped_until,
        "cap_left_bytes": status.cap_left_bytes,
        "cap_left_until": status.cap_left_until,
        "cap_reason": status.cap_reason,
    }


def set_account_status(status: AccountStatus) -> list[Action]:
    """The update that replaces the account status; None values overwrite, too."""
    return [
        AccountItem.plan.set(status.plan),
        AccountItem.retention_days.set(status.retention_days),
        AccountItem.bytes_per_second.set(status.bytes_per_second),
        AccountItem.accepts_until.set_or_null(status.accepts_until),
        AccountItem.end_reason.set(status.end_reason),
        AccountItem.capped_until.set_or_null(status.capped_until),
        AccountItem.cap_left_bytes.set_or_null(status.cap_left_bytes),
        AccountItem.cap_left_until.set_or_null(status.cap_left_until),
        AccountItem.cap_reason.set(status.cap_reason),
    ]


def terms_of(item: AccountItem) -> RetentionTerms:
    """The retention terms in an account's item."""
    steps = tuple(RetentionStep(each.since, each.days) for each in item.retention_steps or ())
    return RetentionTerms(days_of_status(account_status_of(item)), steps)


def set_terms(terms: RetentionTerms) -> Action:
    """The update that replaces the steps of the retention terms."""
    steps = [RetentionStepMap(since=each.since, days=each.days) for each in terms.steps]
    return AccountItem.retention_steps.set(steps)
