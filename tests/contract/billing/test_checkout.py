"""Against the fake Stripe: accounts buy a plan once, and each has what it bought."""

from typing import Any

from functions.privacy.erasure.account_marks import AccountMarks
from functions.privacy.erasure.record import ACCOUNT, REQUESTED, Erasure
from functions.shared.accounts.account_status import account_status_on
from functions.shared.plans import PLANS, TRIAL, TRIAL_DAYS
from functions.shared.tables.transaction import write_all
from functions.shared.tenancy import TenantId
from tests.contract.billing.responses import code_of, shown
from tests.fake_stripe.server import CARD
from tests.unit.billing.shop import DAY, Shop


def test_two_accounts_buy_and_each_has_what_it_bought(here: Shop) -> None:
    acme, globex, other = (here.account(name) for name in ("acme", "globex", "other"))
    here.buy(acme, "managed_15")
    here.buy(globex, "managed_30")
    assert set(here.deliver()) == {200}
    assert [here.account_status(each).plan for each in (acme, globex, other)] == [
        "managed_15",
        "managed_30",
        TRIAL,
    ]
    assert [shown(here, each)["status"] for each in (acme, globex, other)] == ["trialing", "trialing", "none"]
    assert here.actions(acme) == ["billing.checkout_begun", "subscription.begun"]
    assert (here.mails(acme), here.mails(other)) == (["begun"], [])
    customers = {here.record(each).customer_id for each in (acme, globex)}
    assert len(customers) == 2
    assert here.record(other).customer_id == ""


def test_what_is_left_of_a_trial_stays_free_and_two_days_are_too_little(here: Shop) -> None:
    acme, late = here.account("acme"), here.account("late", trial_of(here, days=2))
    ends_at = here.account_status(acme).accepts_until
    here.buy(acme)
    here.buy(late)
    here.deliver()
    bought, billed = here.subscription(acme), here.subscription(late)
    assert (bought["status"], bought["trial_end"]) == ("trialing", ends_at)
    assert (billed["status"], billed["trial_end"]) == ("active", None)
    assert here.refusal(acme) == ""
    here.here.advance(TRIAL_DAYS + 1)
    here.deliver()
    assert here.subscription(acme)["status"] == "active"
    assert here.account_status(acme) == account_status_on(PLANS["managed_15"])


def trial_of(here: Shop, days: float) -> Any:
    return account_status_on(PLANS[TRIAL], int(here.now() + days * DAY), "trial_ended")


def test_who_has_a_plan_is_not_sold_another_beside_it(here: Shop) -> None:
    acme = here.subscribed("acme")
    response = here.ask("POST /v1/billing/checkout", acme, {"plan": "managed_30"})
    assert code_of(response) == (409, "already_subscribed")
    # Even before Stripe's event arrived.
    globex = here.account("globex")
    here.buy(globex)
    assert here.record(globex).subscription is None
    response = here.ask("POST /v1/billing/checkout", globex, {"plan": "managed_30"})
    assert code_of(response) == (409, "already_subscribed")


def test_of_the_pages_that_were_asked_for_only_the_last_can_be_paid(here: Shop) -> None:
    acme = here.account("acme")
    pages = [here.page("POST /v1/billing/checkout", acme, {"plan": "managed_15"}) for _ in range(3)]
    for old in pages[:-1]:
        assert "Subscribe" not in here.here.http.get(old).text
    assert here.here.post_form(pages[-1], "Subscribe", **CARD).status_code == 303
    here.deliver()
    assert here.record(acme).live
    made = here.here.api.customers.list({"limit": 100}).data
    assert len(made) == 1


def test_two_first_checkouts_at_once_make_one_customer_and_one_page_that_can_be_paid(here: Shop) -> None:
    """The second runs whole while the first is between two calls, at each of them."""
    for number in range(12):
        tenant = here.account(f"acme-{number}")
        pages: list[str] = []

        class Meddling:
            """Runs the second checkout before the call of that number of the first."""

            def __init__(self, gate: Any, before: int, tenant: TenantId, pages: list[str]) -> None:
                self._gate, self._left, self._tenant, self._pages = gate, before, tenant, pages

            def __getattr__(self, name: str) -> Any:
                self._left -= 1
                if self._left == -1:
                    here.wrap = lambda gate: gate
                    body = {"plan": "managed_30"}
                    self._pages.append(here.page("POST /v1/billing/checkout", self._tenant, body))
                return getattr(self._gate, name)

        meddling = Meddling(here.gate, number, tenant, pages)
        here.wrap = lambda _gate, meddling=meddling: meddling
        pages.append(here.page("POST /v1/billing/checkout", tenant, {"plan": "managed_15"}))
        here.wrap = lambda gate: gate
        open_ones = [page for page in pages if "Subscribe" in here.here.http.get(page).text]
        customer = here.record(tenant).customer_id
        sessions = here.here.api.checkout.sessions.list({"customer": customer, "limit": 100}).data
        assert len(open_ones) == 1, number
        assert [each.status for each in sessions].count("open") == 1, number
        assert here.record(tenant).checkout_session in {each.id for each in sessions if each.status == "open"}


def test_a_page_that_is_paid_while_another_is_asked_for_leaves_none_to_be_paid(here: Shop) -> None:
    """A payment in one window comes before each call of a second checkout in another window."""
    paid_last = 0
    for number in range(8):
        tenant = here.account(f"acme-{number}")
        first = here.page("POST /v1/billing/checkout", tenant, {"plan": "managed_15"})

        class Paying:
            """Stripe, at which the first page is paid before the call of that number."""

            def __init__(self, gate: Any, before: int, page: str) -> None:
                self._gate, self._left, self._page = gate, before, page

            def __getattr__(self, name: str) -> Any:
                self._left -= 1
                if self._left == -1 and "Subscribe" in here.here.http.get(self._page).text:
                    assert here.here.post_form(self._page, "Subscribe", **CARD).status_code == 303
                return getattr(self._gate, name)

        paying = Paying(here.gate, number, first)
        here.wrap = lambda _gate, paying=paying: paying
        answer = here.ask("POST /v1/billing/checkout", tenant, {"plan": "managed_30"})
        here.wrap = lambda gate: gate
        customer = here.record(tenant).customer_id
        sessions = here.here.api.checkout.sessions.list({"customer": customer, "limit": 100}).data
        bought, can_be_paid = len(here.gate.subscriptions(customer)), "open" in {s.status for s in sessions}
        assert (bought, can_be_paid, answer["statusCode"]) in ((1, False, 409), (0, True, 201)), number
        paid_last += bought
    assert paid_last >= 3


def test_a_customer_deleted_at_stripe_is_made_anew_and_can_buy_again(here: Shop) -> None:
    acme = here.subscribed("acme")
    old = here.record(acme).customer_id
    here.here.api.customers.delete(old)
    here.deliver()
    assert here.refusal(acme) == "subscription_ended"
    assert code_of(here.ask("POST /v1/billing/portal", acme)) == (409, "no_subscription")
    here.buy(acme, "managed_30")
    here.deliver()
    assert here.record(acme).customer_id != old
    assert here.account_status(acme) == account_status_on(PLANS["managed_30"])
    assert here.records.owner(old) is None


def test_an_account_that_waits_for_its_erasure_buys_nothing_and_sees_why_its_logs_are_rejected(
    here: Shop,
) -> None:
    acme, globex = here.account("acme"), here.subscribed("globex")
    bystander = here.account("other")
    marks = AccountMarks("accounts", here.client)
    for tenant in (acme, globex):
        erasure = Erasure(
            tenant, f"era_{tenant}", ACCOUNT, REQUESTED, int(here.now()), int(here.now()) + 7 * DAY
        )
        write_all(here.client, [marks.closes(erasure)])
    for tenant, route in ((acme, "POST /v1/billing/checkout"), (globex, "POST /v1/billing/plan")):
        refused = here.ask(route, tenant, {"plan": "managed_30"})
        assert code_of(refused) == (409, "account_closing")
        assert "cancel the erasure" in refused["body"]
        page = shown(here, tenant)
        assert (page["accepting"], page["refusal"]) == (False, "account_closing")
    assert shown(here, bystander)["accepting"]
    assert here.ask("POST /v1/billing/checkout", bystander, {"plan": "managed_30"})["statusCode"] == 201
    for tenant in (acme, globex):
        write_all(here.client, [marks.stays(tenant)])
        assert shown(here, tenant)["accepting"]
    here.buy(acme)
