"""An account from its sign-up to its erasure, with time moved by hand, beside one that stays.

What is left of it is looked for as erasures' tests do: in the engine's files as they lie on disk, every
bucket, table and queue, the identity provider and the fake Stripe. Mails that were sent are their reader's,
in a mailbox that is not ours, and no part of what is searched.
"""

import hashlib
import io
import json
import tempfile
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.privacy.erasure.receipt import account_hash
from functions.shared.accounts.notice_outbox import MARKETING
from functions.shared.plans import PLANS
from tests.aws_environment import set_aws_environment
from tests.fake_stripe.server import CARD
from tests.integration.lives import Customer, Lives, lives

ROUNDS = 60


@pytest.fixture
def all_of_it(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lives]:
    set_aws_environment(monkeypatch)
    with tempfile.TemporaryDirectory() as place, lives(monkeypatch, Path(place)) as made:
        yield made


def test_of_a_whole_life_nothing_is_left_but_the_receipt(all_of_it: Lives) -> None:
    here = all_of_it
    ada, bob = here.joins(), here.joins()
    both = (ada, bob)

    _tries_it(here, both)
    _subscribes(here, both)
    _is_billed(here, both)
    _downgrades(here, both)
    _takes_a_copy(here, ada, both)
    _unsubscribes(here, ada, bob)
    texts = _traces(here, ada)
    assert all(here.here.where(*texts).values()), "what is looked for afterwards is there before"
    _leaves(here, ada, bob, texts)


def _tries_it(here: Lives, both: tuple[Customer, ...]) -> None:
    """On the trial, for nothing: logs, a file, a search."""
    for each in both:
        assert here.ask_ok("GET /v1/account", each.token)["plan"] == "trial"
        assert here.logs(each) == (202, "")
        assert here.drops(each) == "loading"
    here.work(*both)
    assert [here.upload_states(each) for each in both] == [{"done"}, {"done"}]
    for each in both:
        assert sorted(here.search_messages(each)) == sorted(each.lines)


def _subscribes(here: Lives, both: tuple[Customer, ...]) -> None:
    """When the trial is over logs are refused, until a plan is bought."""
    here.later(*both, days=14.1)
    for each in both:
        assert here.logs(each) == (402, "trial_ended")
        here.buys(each, "managed_30", **CARD)
    here.work(*both)
    for each in both:
        assert here.ask_ok("GET /v1/billing", each.token)["plan"] == "managed_30"
        assert here.logs(each, 5) == (202, "")
    here.work(*both)


def _is_billed(here: Lives, both: tuple[Customer, ...]) -> None:
    """Usage is counted, reported to Stripe once, and on a paid invoice; the trial's is not."""
    here.later(*both, hours=2)
    record = here.shop.record(both[0].tenant)
    reported = here.shop.billing_api.usage.tally(both[0].tenant).reported
    today = datetime.fromtimestamp(here.now(), UTC).date()
    query = {"from": (today - timedelta(days=20)).isoformat(), "to": today.isoformat()}
    usage = here.ask_ok("GET /v1/usage", both[0].key, query=query)
    assert sum(day["rows"] for day in usage["days"]) == len(both[0].lines)
    assert 0 < reported.landed_bytes < sum(day["bytes"] for day in usage["days"])
    here.later(*both, days=31)
    for each in both:
        record = here.shop.record(each.tenant)
        subscription = here.shop.subscription(each.tenant)
        invoices = here.shop.gate.invoices(subscription["id"])
        assert [invoice["status"] for invoice in invoices] == ["paid", "paid"]
        assert {invoice["total"] for invoice in invoices} == {PLANS["managed_30"].monthly_cents}
        assert record.live


def _downgrades(here: Lives, both: tuple[Customer, ...]) -> None:
    """At once, and logs are still accepted."""
    ada = both[0]
    assert here.ask_ok("POST /v1/billing/plan", ada.token, {"plan": "managed_15"})["plan"] == "managed_15"
    here.work(*both)
    assert here.ask_ok("GET /v1/account", ada.token)["retention_days"] == 15
    for each in both:
        assert here.logs(each) == (202, "")
        assert here.drops(each) == "loading"
    here.work(*both)
    assert [here.upload_states(each) for each in both] == [{"done"}, {"done"}]


def _takes_a_copy(here: Lives, ada: Customer, both: tuple[Customer, ...]) -> None:
    """Of everything, with the logs: complete, and of this account only."""
    now = datetime.fromtimestamp(here.now(), UTC)
    logs = {"from": (now - timedelta(days=89)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
    export = here.ask_ok("POST /v1/account/export", ada.token, {"logs": logs})
    for _ in range(ROUNDS):
        here.later(*both, minutes=2)
        copy = here.ask_ok("GET /v1/account/exports/{id}", ada.token, id=export["id"])
        if copy["state"] == "ready":
            break
    assert "url" in copy
    body = here.here.archive_of(here.here.service.get_export(ada.tenant, export["id"]))
    manifest: dict[str, Any] = json.loads(body.read("manifest.json"))
    for each in manifest["files"]:
        assert hashlib.sha256(body.read(each["name"])).hexdigest() == each["sha256"]
    assert _lines_of(body, "logs/events-") == sorted(ada.lines)
    content = b"\0".join(body.read(name) for name in body.namelist())
    for name in ("people", "keys", "audit", "billing", "usage", "uploads", "notices", "saved-searches"):
        assert len(body.read(f"account/{name}-0001.ndjson")) > 0, name
    assert not [each for each in both if each is not ada and each.mark.encode() in content]


def _unsubscribes(here: Lives, ada: Customer, bob: Customer) -> None:
    """By the link in a mail; what concerns the account is mailed all the same."""
    _announce(here, "news-1", ada, bob)
    assert [len(_mails_about(here, each, "news-1")) for each in (ada, bob)] == [1, 1]
    here.ask_ok("POST /v1/unsubscribe/{token}", token=here.token_in(here.mails(ada)[-1]))
    _announce(here, "news-2", ada, bob)
    here.here.notices.put(ada.tenant, "outage", "downtime", "Outage outage", "We were away.")
    here.work(ada, bob)
    assert [len(_mails_about(here, each, "news-2")) for each in (ada, bob)] == [0, 1]
    assert len(_mails_about(here, ada, "outage")) == 1


def _leaves(here: Lives, ada: Customer, bob: Customer, texts: list[str]) -> None:
    """The account is closed at once, can be taken back for a week, and is gone within a day after that."""
    rows = here.here.hash_of(bob.tenant)
    customer = here.shop.record(ada.tenant).customer_id
    erasure_request = here.ask_ok("DELETE /v1/account", ada.token, {"confirm": ada.tenant})
    assert here.logs(ada) == (402, "account_closing")
    here.put(f"v1/tenant={ada.tenant}/closing-{ada.mark}", b'{"message": "not read"}')
    newest = here.ask_ok("GET /v1/uploads", ada.key)["uploads"][0]
    assert (newest["state"], newest["error"]["code"]) == ("failed", "account_closing")
    here.later(ada, bob, days=6.9)
    assert here.search_messages(ada), "it can still be taken back"
    here.later(ada, bob, days=0.2)
    assert here.ask("POST /v1/search", ada.key, {"limit": 1})[0] == 401
    assert here.ask("GET /v1/account", ada.token)[0] == 401
    began = here.now()
    erasure = _until_verified(here, ada, bob, erasure_request["id"])
    assert here.now() - began < 86_400

    left = here.here.where(*texts, erasure_request["id"])
    assert left.pop(ada.tenant) == {"table ledger"}, "what keeps a redelivery from loading anything, 45 days"
    assert {text: places for text, places in left.items() if places} == {}
    assert not here.shop.gate.customer_exists(customer)
    assert erasure["receipt"]["account"] == account_hash(erasure_request["id"], ada.tenant)
    assert erasure["receipt"]["counts"]["rows"] == len(ada.lines)
    assert not any(text in json.dumps(erasure["receipt"]) for text in texts)
    _nothing_reappears(here, ada, texts)
    assert here.here.hash_of(bob.tenant) == rows
    _stays(here, bob)


def _until_verified(here: Lives, ada: Customer, bob: Customer, erasure_id: str) -> Any:
    """The status of the erasure at its end, for any caller who has its id."""
    for _ in range(ROUNDS):
        erasure = here.ask_ok("GET /v1/erasures/{id}", id=erasure_id)
        if erasure["state"] == "verified":
            return erasure
        here.later(ada, bob, minutes=20)
        time.sleep(0.2)  # the engine removes files of parts a moment after it let go of them
    raise AssertionError(f"never verified: {here.here.service.erasures.of(ada.tenant, erasure_id)}")


def _nothing_reappears(here: Lives, ada: Customer, texts: list[str]) -> None:
    """A redelivery of what was loaded, a replay, a file that is put late."""
    here.notify_staged(*ada.staged)
    again = here.here.stage(ada.tenant, [here.here.row(ada.tenant, f"again {ada.mark}")])
    here.notify_staged(again)
    name = f"v1/tenant={ada.tenant}/late-{ada.mark}"
    here.put(name, b'{"message": "late"}\n')
    here.here.aws.s3.delete_object(Bucket="drop", Key=f"dropin/{name}")
    left = here.here.where(*texts)
    assert left.pop(ada.tenant) == {"table ledger"}
    assert {text: places for text, places in left.items() if places} == {}
    assert here.here.rows_of(ada.tenant) == 0


def _stays(here: Lives, bob: Customer) -> None:
    """The other account: paid, open, and with all its logs."""
    assert here.shop.record(bob.tenant).live
    assert here.shop.subscription(bob.tenant)["status"] == "active"
    assert here.logs(bob) == (202, "")
    here.work(bob)
    assert sorted(here.search_messages(bob)) == sorted(bob.lines)


def _traces(here: Lives, customer: Customer) -> list[str]:
    """Texts that name a person: what they gave us, and their ids here and elsewhere."""
    account = here.here.directory.account(customer.tenant)
    assert account
    record = here.shop.record(customer.tenant)
    assert record.subscription
    subscription = record.subscription.subscription_id
    return [customer.mark, customer.tenant, account.owner, record.customer_id, subscription]


def _announce(here: Lives, name: str, *customers: Customer) -> None:
    for each in customers:
        here.here.notices.put(each.tenant, name, MARKETING, f"New: {name}", "Look.", announce=False)
    here.work(*customers)


def _mails_about(here: Lives, customer: Customer, word: str) -> list[Any]:
    return [each for each in here.mails(customer) if word in each.subject]


def _lines_of(archive: zipfile.ZipFile, prefix: str) -> list[str]:
    names = [name for name in archive.namelist() if name.startswith(prefix)]
    lines = io.BytesIO(b"".join(archive.read(name) for name in names)).readlines()
    return sorted(json.loads(each)["message"] for each in lines)
