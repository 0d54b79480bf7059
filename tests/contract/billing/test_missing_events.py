"""Against the fake Stripe: an event that never came is made up for by the next look."""

from dataclasses import replace
from typing import Any

from tests.contract.billing.responses import shown
from tests.unit.billing.shop import FAILS_LATER, Shop


def test_an_event_that_never_came_is_made_up_for(here: Shop) -> None:
    acme, globex = here.subscribed("acme"), here.subscribed("globex")
    here.portal(acme, "Save card", **FAILS_LATER)
    here.here.order("/_webhooks", drop=1000)
    here.here.advance(32)
    assert here.bookkeeper.run()["missed"] == 2
    assert shown(here, acme)["status"] == "past_due"
    assert here.record(globex).live
    assert here.bookkeeper.run() == {"notified": 0, "missed": 0, "failed": 0}
    here.here.order("/_webhooks")


def test_a_retry_that_stripe_has_moved_is_no_event_that_never_came(here: Shop) -> None:
    """Smart retries choose the moment anew; that is `invoice.updated`, which nothing else follows from."""
    acme = here.subscribed("acme")
    here.portal(acme, "Save card", **FAILS_LATER)
    here.renew(acme)
    here.deliver()
    before = here.record(acme).subscription
    assert before
    assert before.tries_again_at

    class Moved:
        def __getattr__(self, name: str) -> Any:
            return getattr(here.gate, name)

        def invoices(self, which: str) -> list[Any]:
            found = here.gate.invoices(which)
            moved = {"next_payment_attempt": before.tries_again_at + 3600}
            return [{**each, **(moved if each["status"] == "open" else {})} for each in found]

    here.wrap = lambda _gate: Moved()
    here.ahead += 7 * 3600
    assert here.bookkeeper.run()["missed"] == 0
    now = here.record(acme).subscription
    assert now == replace(before, tries_again_at=before.tries_again_at + 3600), "and it is kept"


def test_a_purchase_of_which_no_event_came_is_found_and_a_page_that_was_left_is_not_asked_for_ever(
    here: Shop,
) -> None:
    acme, globex = here.account("acme"), here.account("globex")
    here.here.order("/_webhooks", drop=1000)
    here.buy(acme)
    here.page("POST /v1/billing/checkout", globex, {"plan": "managed_15"})
    assert here.bookkeeper.run()["missed"] == 0, "an event has its time to come"
    here.here.advance(0.3)
    assert here.bookkeeper.run()["missed"] == 1
    assert (shown(here, acme)["status"], shown(here, globex)["status"]) == ("trialing", "none")
    for _ in range(4):
        here.here.advance(0.3)
        here.bookkeeper.run()
    looked_at = here.record(globex).looked_at
    for _ in range(3):
        here.here.advance(0.3)
        assert here.bookkeeper.run() == {"notified": 0, "missed": 0, "failed": 0}
    assert here.record(globex).looked_at == looked_at
    here.here.order("/_webhooks")
