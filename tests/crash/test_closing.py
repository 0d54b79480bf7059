"""An account is closed at Stripe, whichever step a process dies at: canceled once, billed once, deleted once.

The closer is killed before and after each of its calls to Stripe and each of its writes, and followed by
others until it is done. What was used last must be on the last invoice, so it was reported before the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from functions.billing import catalogue
from functions.billing.stripe_contract import DUPLICATE_METER_EVENT, StripeRefusedError
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.shared.accounts.audit import Origin
from functions.shared.plans import GIGABYTE, PLANS
from functions.shared.tenancy import TenantId
from tests.aws_environment import set_aws_environment
from tests.fake_stripe.server import CARD
from tests.unit.billing.shop import (
    FAILS_LATER,
    INVOICE_SECONDS,
    LOADING_SECONDS,
    Dying,
    KilledError,
    Shop,
    shop,
)

USED_GB = 150
BEYOND_CENTS = (USED_GB - PLANS["managed_15"].included_gb) * PLANS["managed_15"].cents_a_gb
ROUNDS = 8


@pytest.fixture(scope="module")
def whole() -> Iterator[Shop]:
    with pytest.MonkeyPatch.context() as patch:
        set_aws_environment(patch)
        with shop() as made:
            # Stripe does not make the last invoice final before we do.
            made.here.order("/_settings", draft_seconds=100 * 3600)
            made.subscribed("globex")
            yield made


@pytest.fixture
def here(whole: Shop) -> Iterator[Shop]:
    yield whole
    whole.wrap, whole.writes_left, whole.dies_after = (lambda gate: gate), None, False
    assert whole.record("globex").live, "another account was closed"


_number = iter(range(10**6))


@dataclass
class LastUsage:
    """Reports USED_GB, by one identifier, as often as it is asked; as used a minute ago."""

    shop: Shop
    ready: bool = True

    def all_reported(self, record: BillingRecord) -> bool:
        if not self.ready:
            return False
        tenant, customer = record.tenant, record.customer_id
        before = self.shop.here.now() - 60
        try:
            self.shop.gate.send_meter_event(
                catalogue.METER_EVENT, customer, USED_GB * GIGABYTE, f"last {tenant}", before
            )
        except StripeRefusedError as refused:
            if refused.code != DUPLICATE_METER_EVENT:
                raise
        return True


def leaving(here: Shop) -> TenantId:
    """An account with a subscription whose end was just asked for, and an event of that on its way."""
    tenant = here.subscribed(f"acme-{next(_number)}")
    assert here.closings.request(tenant)
    assert here.refusal(tenant) == "account_closing"
    return tenant


def finish(here: Shop) -> int:
    """Rounds of the closer until no account waits, with time passing in between; how many there were."""
    for number in range(ROUNDS):
        if here.close(LastUsage(here))["waiting"] == 0:
            here.deliver()
            return number
        here.pass_by(max(LOADING_SECONDS, INVOICE_SECONDS) + 1)
    raise AssertionError("it never ends")


def happened(here: Shop, customer: str, kind: str) -> int:
    """How many events of that kind Stripe has of the customer."""
    found = here.here.api.events.list({"limit": 100, "type": kind})
    objects = [each.data.object for each in found.auto_paging_iter()]
    return sum(customer in (each.get("customer"), each["id"]) for each in map(_plain, objects))


def _plain(thing: Any) -> Any:
    return thing.to_dict() if hasattr(thing, "to_dict") else thing


def closed_once(here: Shop, tenant: TenantId, customer: str) -> None:
    """Everything that must be so at the end, whatever happened on the way."""
    (subscription,) = here.gate.subscriptions(customer)
    last = [
        each for each in here.gate.invoices(subscription["id"]) if each["created"] >= subscription["ended_at"]
    ]
    assert subscription["status"] == "canceled"
    assert [each["status"] for each in last] == ["paid"]
    lines = [line["amount"] for line in last[0]["lines"]["data"]]
    assert BEYOND_CENTS in lines, "the last usage is billed"
    assert any(amount < 0 for amount in lines), "the rest of the period is given back"
    assert not here.gate.customer_exists(customer)
    kinds = ("customer.subscription.deleted", "customer.deleted")
    assert [happened(here, customer, kind) for kind in kinds] == [1, 1]
    record = here.record(tenant)
    assert record.closed_at
    left = {"closing_requested_at": record.closing_requested_at, "closed_at": record.closed_at}
    assert record == BillingRecord(tenant, record.version, **left)
    assert here.records.owner(customer) is None
    assert here.refusal(tenant) == "account_closing"
    assert here.actions(tenant).count("account.billing_closed") == 1
    assert here.actions(tenant).count("subscription.ended") <= 1
    assert here.mails(tenant) == ["begun"], "who leaves is not written to"
    closing = here.closings.of(tenant)
    assert closing
    assert closing.closed_at == record.closed_at


def test_no_process_dies(here: Shop) -> None:
    tenant = leaving(here)
    customer = here.record(tenant).customer_id
    assert finish(here) == 2
    closed_once(here, tenant, customer)
    before = here.record(tenant)
    assert here.close(LastUsage(here)) == {"closed": 0, "waiting": 0, "slow": 0}
    assert not here.closings.request(tenant)
    assert here.record(tenant) == before


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_it_dies_at_each_call_to_stripe_and_the_next_run_continues(here: Shop, after: bool) -> None:
    for number in count():
        tenant = leaving(here)
        customer = here.record(tenant).customer_id
        here.pass_by(LOADING_SECONDS + 1)
        dying = Dying(here.gate, number, after=after)
        here.wrap = lambda _gate, dying=dying: dying
        killed = False
        try:
            here.close(LastUsage(here))
            here.pass_by(INVOICE_SECONDS + 1)
            here.close(LastUsage(here))
        except KilledError:
            killed = True
        here.wrap = lambda gate: gate
        finish(here)
        closed_once(here, tenant, customer)
        if not killed:
            break
    assert number >= 10


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_it_dies_at_each_write_and_the_next_run_continues(here: Shop, after: bool) -> None:
    for number in count():
        tenant = leaving(here)
        customer = here.record(tenant).customer_id
        here.pass_by(LOADING_SECONDS + 1)
        here.close(LastUsage(here))
        here.pass_by(INVOICE_SECONDS + 1)
        here.writes_left, here.dies_after, killed = number, after, False
        try:
            here.close(LastUsage(here))
        except KilledError:
            killed = True
        here.writes_left = None
        finish(here)
        closed_once(here, tenant, customer)
        if not killed:
            break
    assert number >= 1


def test_it_waits_for_what_is_being_loaded_and_for_what_is_to_be_reported(here: Shop) -> None:
    tenant = leaving(here)
    usage = LastUsage(here, ready=False)
    here.close(usage)
    here.pass_by(LOADING_SECONDS + 1)
    here.close(usage)
    assert here.subscription(tenant)["status"] == "active"
    usage.ready = True
    here.close(usage)
    assert here.subscription(tenant)["status"] == "canceled"
    customer = here.record(tenant).customer_id
    finish(here)
    closed_once(here, tenant, customer)


def test_a_page_that_is_open_cannot_be_paid_any_more(here: Shop) -> None:
    tenant = here.account(f"late-{next(_number)}")
    page = here.page("POST /v1/billing/checkout", tenant, {"plan": "managed_15"})
    here.closings.request(tenant)
    response = here.ask("POST /v1/billing/checkout", tenant, {"plan": "managed_15"})
    assert (response["statusCode"], "account_closing" in response["body"]) == (409, True)
    finish(here)
    assert "Subscribe" not in here.here.http.get(page).text
    assert here.record(tenant).closed_at


def test_a_page_that_was_paid_at_the_last_moment_is_ended_with_the_rest(here: Shop) -> None:
    tenant = here.account(f"last-{next(_number)}")
    page = here.page("POST /v1/billing/checkout", tenant, {"plan": "managed_15"})
    here.closings.request(tenant)
    assert here.here.post_form(page, "Subscribe", **CARD).status_code == 303
    customer = here.record(tenant).customer_id
    finish(here)
    assert [each["status"] for each in here.gate.subscriptions(customer)] == ["canceled"]
    assert not here.gate.customer_exists(customer)


def test_an_account_that_never_bought_is_closed_at_once_without_a_request_to_stripe(here: Shop) -> None:
    tenant = here.account(f"free-{next(_number)}")
    here.closings.request(tenant)
    here.wrap = lambda _gate: None
    assert here.close(LastUsage(here))["closed"] == 1
    assert here.record(tenant).closed_at
    assert here.refusal(tenant) == "account_closing"


def test_a_declined_card_does_not_stop_an_account_from_closing(here: Shop) -> None:
    tenant = here.subscribed(f"broke-{next(_number)}")
    # Near the period's end little is given back, and usage beyond the included volume is charged.
    here.here.advance(27)
    here.portal(tenant, "Save card", **FAILS_LATER)
    here.closings.request(tenant)
    customer = here.record(tenant).customer_id
    finish(here)
    (subscription,) = here.gate.subscriptions(customer)
    assert subscription["status"] == "canceled"
    assert here.gate.invoices(subscription["id"])[0]["status"] == "open"
    assert not here.gate.customer_exists(customer)
    assert here.record(tenant).closed_at


def test_an_account_that_is_not_there_is_not_closed(here: Shop) -> None:
    assert not here.closings.request(TenantId("nobody"))
    assert here.closings.of(TenantId("nobody")) is None
    assert here.record("nobody").version == 0


def test_with_the_request_all_that_goes_with_it_is_written_or_nothing(here: Shop) -> None:
    tenant = here.account(f"whole-{next(_number)}")
    who = Origin("person:person", "192.0.2.1", "tests")
    entry = here.audit.entry(tenant, who, "account.closing_requested", tenant)
    assert here.closings.request(tenant, also=[entry])
    again = here.audit.entry(tenant, who, "account.closing_requested", tenant)
    assert not here.closings.request(tenant, also=[again])
    assert here.actions(tenant) == ["account.closing_requested"]
    finish(here)
