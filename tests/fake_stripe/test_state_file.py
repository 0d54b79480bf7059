"""A fake Stripe that is killed has all that it answered when it is started again."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.children import child
from tests.fake_stripe.server import API_KEY, CARD, SECRET, Receiver, Stripe, receiver
from tests.fake_stripe.shop import buy, meter, plan, portal


@contextmanager
def killed_at_exit(file: Path, state: Receiver) -> Iterator[Stripe]:
    """A child of its own that is killed at the end of the block."""
    with child(
        "fake_stripe",
        api_key=API_KEY,
        webhook_url=state.url,
        webhook_secret=SECRET,
        kept_in=str(file),
    ) as running:
        here = Stripe(f"http://127.0.0.1:{running.port}", state)
        yield here
        here.http.close()
        os.kill(running.pid, signal.SIGKILL)


def test_customers_cards_time_and_answers_outlive_a_kill(tmp_path: Path) -> None:
    file, form, once = tmp_path / "stripe", {"email": "zoë@example.com"}, {"idempotency_key": "once"}
    with receiver() as state:
        with killed_at_exit(file, state) as first:
            small = plan(first, "small", 1000, meter(first).id)
            customer = first.api.customers.create(form, once)  # type: ignore[arg-type]
            bought = buy(first, customer.id, small)
            page = portal(first, customer.id).removeprefix(first.url)
        with killed_at_exit(file, state) as second:
            assert second.api.customers.create(form, once) == customer  # type: ignore[arg-type]
            assert second.post_form(page, "Save card", **CARD).status_code == 303
            now = second.advance(40)
        with killed_at_exit(file, state) as third:
            assert third.now() >= now
            assert third.api.subscriptions.retrieve(bought.id).status == "active"
            assert len(third.api.webhook_endpoints.list().data) == 1
            third.advance(31)
            invoices = third.api.invoices.list({"customer": customer.id}).data
            assert [each.status for each in invoices] == ["paid", "paid", "paid"]


def test_what_was_not_delivered_is_delivered_by_the_next(tmp_path: Path) -> None:
    file = tmp_path / "stripe"
    with receiver() as state:
        with killed_at_exit(file, state) as first:
            first.order("/_webhooks", drop=1)
            made = first.api.customers.create({"email": "a@example.com"})
        assert state.received == []
        with killed_at_exit(file, state) as second:
            state.wait_for(1)
            second.settle()
            assert [event.data.object.id for event in state.events()] == [made.id]
