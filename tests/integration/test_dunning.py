"""A payment that fails, by a moved clock: mails, grace, refusal, payment; and what was accepted is all there.

Through the real authorizer, ingest and search, with Stripe's clock for all processes. Staged objects are
loaded into the real ClickHouse after every request, as sync would.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

import obstore
import pytest
from obstore.store import MemoryStore

from bench.in_process import embedded_engine, load
from functions.accounts import keys
from functions.accounts.attempt_counter import TableCounter
from functions.accounts.authorizer import Authorizer, TokenVerifier
from functions.accounts.directory import Key
from functions.accounts.failures import FailureLimiter
from functions.accounts.people import People
from functions.ingest.handler import Ingest
from functions.ingest.handler import answer_to as ingest_answer
from functions.ingest.rate_limit import RateLimit
from functions.ingest.staging_writer import StagingWriter
from functions.query.compile import statement
from functions.query.requests.request import search
from functions.query.results.page import page
from functions.query.searching.event_search import EventSearch, SearchLimits
from functions.shared.access import principal
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.http import answering, request
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.aws_environment import set_aws_environment
from tests.fake_stripe.server import CARD
from tests.unit.billing.shop import DAY, FAILS_LATER, Shop, shop


@dataclass
class DunningWorld:
    """Logs in and out of two accounts, as the deployed functions take and show them."""

    shop: Shop
    warehouse: Warehouse
    store: MemoryStore = field(default_factory=MemoryStore)
    texts: dict[str, str] = field(default_factory=dict)
    accepted: dict[str, list[str]] = field(default_factory=dict)
    number: int = 0

    def __post_init__(self) -> None:
        self.ingest = Ingest(StagingWriter(PlatformBucket(self.store)), RateLimit())
        self.event_search = EventSearch(self.warehouse, SearchLimits(10, 2**30, 2**26, 1))
        self.half_a_minute_later()

    def half_a_minute_later(self) -> None:
        """What the authorizer believed it looks up anew; it goes by a clock that no test moves."""
        self.authorizer = Authorizer(
            self.shop.directory,
            People("people", self.shop.client),
            cast(TokenVerifier, None),
            FailureLimiter(TableCounter("attempts", self.shop.client)),
        )

    def open(self, name: str) -> TenantId:
        tenant = self.shop.subscribed(name)
        text = self.texts[tenant] = keys.generate()
        self.shop.directory.put_key(text, Key(tenant, f"k-{name}", frozenset({"ingest", "read"}), "default"))
        self.accepted[tenant] = []
        return tenant

    def _event(self, tenant: str, route: str, body: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.texts[tenant]}"}
        verdict = self.authorizer.context(headers, self.shop.now(), "192.0.2.1")
        context = {"requestId": "r", "http": {"method": "POST"}, "authorizer": {"lambda": verdict}}
        return {"routeKey": route, "headers": headers, "requestContext": context, "body": json.dumps(body)}

    def send(self, tenant: str) -> tuple[int, str]:
        """One line of `tenant`; the status and the code."""
        self.number += 1
        line = f"line {self.number} of {tenant}"
        event = self._event(tenant, "POST /v1/drain", [{"message": line}])
        answer = answering(lambda each: ingest_answer(each, self.ingest))(event, None)
        if answer["statusCode"] == 202:
            self.accepted[tenant].append(line)
        return answer["statusCode"], json.loads(answer["body"]).get("code", "")

    def loaded(self) -> None:
        """Sync's part: every staged object, once."""
        for some in obstore.list(self.store):
            for each in some:
                body = bytes(obstore.get(self.store, each["path"]).bytes())
                load(self.warehouse, body, each["path"], date(2099, 1, 1))
                obstore.delete(self.store, each["path"])

    def search_messages(self, tenant: str) -> list[str]:
        """Every line of `tenant` that a search finds."""
        self.loaded()
        event = self._event(tenant, "POST /v1/search", {"limit": 1000})
        caller = principal(event).require("read")
        asked = search(request(event).body)
        shown = page(asked, self.event_search.find(statement(asked, caller.tenant)))
        return sorted(each["message"] for each in json.loads(shown)["events"])

    def nothing_lost(self) -> bool:
        return all(self.search_messages(tenant) == sorted(lines) for tenant, lines in self.accepted.items())


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[DunningWorld]:
    set_aws_environment(monkeypatch)
    with embedded_engine() as room, shop() as made:
        yield DunningWorld(made, room.database("dunning"))


@pytest.mark.parametrize("after_retries", ["past_due", "unpaid"])
def test_a_failed_payment_is_notified_rejects_logs_and_once_paid_all_is_as_before(
    world: DunningWorld, after_retries: str
) -> None:
    here = world.shop
    here.here.order("/_settings", after_retries=after_retries)
    acme, globex = world.open("acme"), world.open("globex")
    assert [world.send(each)[0] for each in (acme, globex)] == [202, 202]

    # The card fails when the next period is charged.
    here.portal(acme, "Save card", **FAILS_LATER)
    here.renew(acme)
    here.deliver()
    subscription = here.record(acme).subscription
    assert subscription
    assert subscription.status == "past_due"
    owes_since = subscription.owes_since or 0
    assert here.mails(acme) == ["begun", "payment_failed"]
    world.half_a_minute_later()
    assert world.send(acme) == (202, ""), "a week of grace"
    here.bookkeeper.run()
    assert here.mails(acme) == ["begun", "payment_failed"]

    # A day before the week is over.
    here.here.advance((owes_since + 6.1 * DAY - here.now()) / DAY)
    here.deliver()
    here.bookkeeper.run()
    here.bookkeeper.run()
    assert here.mails(acme).count("grace_ending") == 1
    assert world.send(acme) == (202, "")

    # The week is over, and nothing has run nor been looked up: the clock alone refuses.
    here.here.advance((owes_since + 7 * DAY + 60 - here.now()) / DAY)
    assert world.send(acme) == (402, "payment_overdue")
    assert world.search_messages(acme) == sorted(world.accepted[acme])
    assert world.send(globex) == (202, "")
    here.deliver()
    here.bookkeeper.run()
    here.bookkeeper.run()
    assert here.mails(acme).count("suspended") == 1
    here.here.advance(20)
    here.deliver()
    here.bookkeeper.run()
    assert here.record(acme).subscription.status == after_retries  # type: ignore[union-attr]
    assert world.send(acme) == (402, "payment_overdue")
    assert world.nothing_lost()

    # It is paid, on Stripe's own page.
    payment = here.page("POST /v1/billing/portal", acme)
    here.here.post_form(payment, "Save card", **CARD)
    assert here.here.post_form(payment, "Pay now").status_code == 303
    here.deliver()
    world.half_a_minute_later()
    assert world.send(acme) == (202, "")
    assert world.nothing_lost()
    assert here.mails(acme).count("recovered") == 1
    assert {"payment_failed", "grace_ending", "suspended", "recovered"}.isdisjoint(here.mails(globex))
    assert [each for each in here.actions(acme) if each in ("account.suspended", "payment.recovered")] == [
        "account.suspended",
        "payment.recovered",
    ]


def test_a_trial_ends_by_the_clock_and_a_plan_opens_the_account_again(world: DunningWorld) -> None:
    here = world.shop
    acme, other = here.account("acme"), world.open("other")
    world.texts[acme] = keys.generate()
    key = Key(acme, "k-acme", frozenset({"ingest", "read"}), "default")
    here.directory.put_key(world.texts[acme], key)
    world.accepted[acme] = []
    assert world.send(acme) == (202, "")
    here.here.advance(11.1)
    here.bookkeeper.run()
    assert (here.mails(acme), world.send(acme)) == (["trial_ending"], (202, ""))
    here.here.advance(3)
    assert world.send(acme) == (402, "trial_ended")
    here.bookkeeper.run()
    here.bookkeeper.run()
    assert here.mails(acme) == ["trial_ending", "trial_ended"]
    here.buy(acme, "managed_30")
    here.deliver()
    world.half_a_minute_later()
    assert [world.send(acme), world.send(other)] == [(202, ""), (202, "")]
    assert world.nothing_lost()
    assert here.mails(acme) == ["trial_ending", "trial_ended", "begun"]
