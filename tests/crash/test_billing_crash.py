"""A process dies while a plan is bought, an event handled, a mail written: a retry finishes the work.

Killed before and after each call to Stripe and each write to DynamoDB; then the person asks again, Stripe
sends its event again, the schedule comes round again.
"""

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from functions.billing import routes, webhook_handler
from functions.shared.tenancy import TenantId
from tests.aws_environment import set_aws_environment
from tests.unit.billing.shop import (
    DAY,
    FAILS_LATER,
    Dying,
    KilledError,
    Shop,
    event_of,
    shop,
    webhook_event,
)

_number = iter(range(10**6))


@pytest.fixture(scope="module")
def whole() -> Iterator[Shop]:
    with pytest.MonkeyPatch.context() as patch:
        set_aws_environment(patch)
        with shop() as made:
            yield made


@pytest.fixture
def here(whole: Shop) -> Iterator[Shop]:
    yield whole
    whole.wrap, whole.writes_left, whole.dies_after = (lambda gate: gate), None, False
    end_all(whole)


def end_all(here: Shop) -> None:
    """What is over need not be renewed by a clock that is moved for others."""
    for each in here.here.api.subscriptions.list({"limit": 100}).data:
        here.gate.cancel(each.id, prorate=False)
    here.pending()


def killed_at(here: Shop, place: str, number: int, after: bool, does: Callable[[], Any]) -> bool:
    """Whether `does` died at the nth call to Stripe, or at the nth write."""
    if place == "call":
        dying = Dying(here.gate, number, after=after)
        here.wrap = lambda _gate: dying
    else:
        here.writes_left, here.dies_after = number, after
    try:
        does()
    except KilledError:
        return True
    finally:
        here.wrap, here.writes_left = (lambda gate: gate), None
    return False


places = pytest.mark.parametrize(
    ("place", "after"), [("call", False), ("call", True), ("write", False), ("write", True)]
)


@places
def test_buying_continues_where_it_died_with_one_customer_and_one_page(
    here: Shop, place: str, after: bool
) -> None:
    for number in count():
        tenant = here.account(f"buyer-{next(_number)}")
        before = customers(here)
        killed = killed_at(here, place, number, after, lambda tenant=tenant: asks(here, tenant))
        page = asks(here, tenant)
        assert customers(here) == before + 1
        sessions = here.here.api.checkout.sessions.list({"customer": here.record(tenant).customer_id})
        mine = [each for each in sessions.data if each.url == page]
        assert [each.status for each in mine] == ["open"]
        # A page whose address was never sent may be left; no customer can find it.
        assert here.record(tenant).checkout_session == mine[0].id
        assert here.records.owner(here.record(tenant).customer_id) == tenant
        if not killed:
            break
    assert number >= 2


def asks(here: Shop, tenant: TenantId) -> str:
    event = event_of("POST /v1/billing/checkout", tenant, {"plan": "managed_15"})
    return str(json.loads(routes.answer_to(event, here.billing_api)["body"])["url"])


def customers(here: Shop) -> int:
    return len(here.here.api.customers.list({"limit": 100}).data)


@places
def test_an_event_is_handled_once_whichever_write_its_process_dies_at(
    here: Shop, place: str, after: bool
) -> None:
    """A failed payment, a refund: each leads to one letter, one entry."""
    for number in count():
        tenant = here.subscribed(f"payer-{next(_number)}")
        charge = here.here.api.charges.list({"customer": here.record(tenant).customer_id}).data[0]
        here.here.api.refunds.create({"charge": charge.id})
        here.portal(tenant, "Cancel plan")
        webhooks = here.pending()
        killed = 0
        for body, signature in webhooks:
            killed += killed_at(
                here, place, number, after, lambda body=body, by=signature: takes(here, body, by)
            )
            assert here.webhook(body, signature)["statusCode"] == 200
        assert here.mails(tenant) == ["begun", "ending"]
        actions = here.actions(tenant)
        assert [actions.count(each) for each in ("subscription.ending", "payment.refunded")] == [1, 1]
        assert here.account_status(tenant).end_reason == "subscription_ended"
        if not killed:
            break
    assert number >= 1


def takes(here: Shop, body: bytes, signature: str) -> None:
    webhook_handler.answer_to(webhook_event(body, signature), here.intake)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_mail_is_queued_once_whichever_write_its_process_dies_at(here: Shop, after: bool) -> None:
    for number in count():
        tenants = [here.subscribed(f"late-{next(_number)}") for _ in range(2)]
        for each in tenants:
            here.portal(each, "Save card", **FAILS_LATER)
        here.here.advance(32)
        here.deliver()
        owes_since = max(here.record(each).subscription.owes_since or 0 for each in tenants)  # type: ignore[union-attr]
        here.here.advance((owes_since + 6.5 * DAY - here.now()) / DAY)
        here.deliver()
        killed = killed_at(here, "write", number, after, here.bookkeeper.run)
        for _ in range(2):
            assert here.bookkeeper.run()["failed"] == 0
        assert [here.mails(each).count("grace_ending") for each in tenants] == [1, 1]
        end_all(here)
        here.bookkeeper.run()
        if not killed:
            break
    assert number >= 1
