"""The stored form of a subscription, derived from Stripe's objects: which one counts, and unpaid since when.

It follows from Stripe's objects alone, not from the time or number of events. So events in any order,
repeated or lost, lead to the same result.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from functions.shared.plans import PLANS

PRODUCT_PREFIX = "astralog_"
"""The id of a plan's Stripe product is this prefix and the plan's name. Prices change; a product's id stays,
and only our API key can create one."""

LIVE = frozenset({"active", "trialing", "past_due", "unpaid", "paused"})
OWING = frozenset({"past_due", "unpaid"})
ENDED = frozenset({"canceled"})

StripeObject = Mapping[str, Any]
T = TypeVar("T", bound=StripeObject)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription; times in Unix seconds.

    `status` is Stripe's. `meters`: it has an item that is billed by usage. `ends_at`: when it ends unless the
    cancellation is withdrawn. `owes_since`: date of the first unpaid invoice. `failed_payments`: number of
    failed attempts to collect. `tries_again_at`: time of the next attempt.
    """

    subscription_id: str
    status: str
    plan: str
    started_at: int
    period_start: int
    period_end: int
    meters: bool
    trial_end: int | None = None
    ends_at: int | None = None
    ended_at: int | None = None
    owes_since: int | None = None
    failed_payments: int = 0
    tries_again_at: int | None = None

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def ends_with_trial(self) -> bool:
        """Whether it ends before anything is charged."""
        if self.status != "trialing" or self.trial_end is None or self.ends_at is None:
            return False
        return self.ends_at <= self.trial_end

    @property
    def owing(self) -> bool:
        return self.status in OWING


def product_of(plan: str) -> str:
    """The id of a plan's product."""
    return f"{PRODUCT_PREFIX}{plan}"


def plan_of(price: StripeObject) -> str | None:
    """The plan of `price`; None for a price of another product."""
    product = price["product"]
    name = str(product["id"] if isinstance(product, Mapping) else product)
    plan = name.removeprefix(PRODUCT_PREFIX) if name.startswith(PRODUCT_PREFIX) else ""
    return plan if plan in PLANS and PLANS[plan].sold else None


def is_metered(item: StripeObject) -> bool:
    """Whether a subscription's item is billed by usage."""
    return bool((item["price"].get("recurring") or {}).get("usage_type") == "metered")


def chosen(things: Iterable[T]) -> T | None:
    """The subscription that counts, of all of one customer's: a live one before one that has ended.

    One that never began (`incomplete`), or without a price of our products, does not count. Of two live ones
    the older counts: the newer is a mistake, which `has_two_subscriptions` detects.
    """
    deciding = [each for each in things if each["status"] in LIVE | ENDED and _plan(each)]
    live = sorted((each for each in deciding if each["status"] in LIVE), key=_age)
    ended = sorted(deciding, key=lambda each: (each["ended_at"] or 0, *_age(each)))
    return live[0] if live else ended[-1] if ended else None


def has_two_subscriptions(things: Iterable[StripeObject]) -> bool:
    """Whether a customer has two live subscriptions and pays twice."""
    return sum(each["status"] in LIVE and _plan(each) is not None for each in things) > 1


def snapshot(thing: StripeObject, invoices: Sequence[StripeObject] = ()) -> Subscription:
    """The stored form of `thing`; `invoices` are its own, newest first, needed only if it is unpaid."""
    first = thing["items"]["data"][0]
    owed = _owed(invoices) if thing["status"] in OWING else []
    period_end = first["current_period_end"]
    ends_at = thing["cancel_at"] or (period_end if thing["cancel_at_period_end"] else None)
    return Subscription(
        subscription_id=thing["id"],
        status=thing["status"],
        plan=_plan(thing) or "",
        started_at=thing["start_date"],
        period_start=first["current_period_start"],
        period_end=period_end,
        meters=any(is_metered(item) for item in thing["items"]["data"]),
        trial_end=thing["trial_end"],
        ends_at=None if thing["ended_at"] else ends_at,
        ended_at=thing["ended_at"],
        owes_since=_owes_since(thing, owed),
        failed_payments=sum(each["attempt_count"] for each in owed),
        tries_again_at=min((each["next_payment_attempt"] for each in owed if _again(each)), default=None),
    )


def _plan(thing: StripeObject) -> str | None:
    """The plan of the flat price; a usage price alone gives no plan."""
    flat = [item["price"] for item in thing["items"]["data"] if not is_metered(item)]
    return next((plan for price in flat if (plan := plan_of(price))), None)


def _age(thing: StripeObject) -> tuple[int, str]:
    return thing["created"], thing["id"]


def _owed(invoices: Sequence[StripeObject]) -> list[StripeObject]:
    """The unpaid invoices since the last paid one; earlier ones were forgiven or have another cause."""
    owed = []
    for each in invoices:
        if each["status"] == "paid":
            break
        if each["status"] in ("open", "uncollectible"):
            owed.append(each)
    return owed


def _owes_since(thing: StripeObject, owed: Sequence[StripeObject]) -> int | None:
    """When an unpaid subscription became so; when its period began if all invoices are drafts or void."""
    if thing["status"] not in OWING:
        return None
    since: list[int] = [each["status_transitions"]["finalized_at"] or each["created"] for each in owed]
    began: int = thing["items"]["data"][0]["current_period_start"]
    return min(since, default=began)


def _again(invoice: StripeObject) -> bool:
    return invoice["next_payment_attempt"] is not None
