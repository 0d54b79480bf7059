"""Billing records: a read returns what was written, a late write is rejected; the same in memory."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.accounts.directory import Account, Directory
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.billing_store import (
    BillingRecordChangedError,
    BillingStore,
    record_item,
    record_of,
)
from functions.billing.subscriptions.subscription import Subscription, snapshot
from functions.shared.accounts.account_status import AccountStatus, account_status_on
from functions.shared.accounts.retention_terms import GRACE_DAYS, RetentionStep, RetentionTerms
from functions.shared.plans import PLANS, TRIAL
from functions.shared.tables.accounts import terms_of
from functions.shared.tenancy import TenantId
from tests.account_items import account_of
from tests.aws_environment import set_aws_environment
from tests.unit.billing.shop import dynamodb
from tests.unit.billing.things import DAY, NOON, MemoryBillingStore, subscription

TRIAL_OF = account_status_on(PLANS[TRIAL], NOON + 14 * DAY, "trial_ended")
PAID = account_status_on(PLANS["managed_15"])

Store = Any
Opened = Callable[[str, str], TenantId]

texts = st.text("abc_0123", max_size=8)
times = st.none() | st.integers(0, 2**40)
names = st.frozensets(st.text("abc 1", min_size=1, max_size=6), max_size=3)
subscriptions = st.builds(
    Subscription,
    texts,
    st.sampled_from(["active", "canceled"]),
    st.sampled_from(sorted(PLANS)),
    st.integers(0, 2**40),
    st.integers(0, 2**40),
    st.integers(0, 2**40),
    st.booleans(),
    times,
    times,
    times,
    times,
    st.integers(0, 9),
    times,
)
records = st.builds(
    BillingRecord,
    st.just(TenantId("acme")),
    st.integers(0, 2**40),
    texts,
    st.none() | subscriptions,
    times,
    times,
    times,
    texts,
    names,
    names,
    times,
    times,
    times,
)


@given(records)
def test_a_record_is_read_from_its_item_as_it_was_written(record: BillingRecord) -> None:
    assert record_of(record_item(record)) == record


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        set_aws_environment(patch)
        with dynamodb() as made:
            yield made


_number = iter(range(10**6))


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest, client: Any) -> tuple[Store, Opened]:
    """Books, and how an account with a customer is opened in them."""
    if request.param == "memory":
        memory = MemoryBillingStore()
        return memory, memory.open
    real, directory = (
        BillingStore("billing", "accounts", client),
        Directory("accounts", "keys", client=client),
    )

    def opened(name: str, customer: str) -> TenantId:
        tenant = TenantId(f"{name}-{next(_number)}")
        directory.put_account(Account(tenant, TRIAL_OF, owner="person", created_at=NOON))
        real.write(BillingRecord(tenant, customer_id=customer), also=[real.owning(customer, tenant)])
        return tenant

    return real, opened


def test_each_customer_has_one_owner_and_a_stranger_none(store: tuple[Store, Opened]) -> None:
    found, opened = store
    acme, globex = opened("acme", "cus_a"), opened("globex", "cus_g")
    assert [found.owner(each) for each in ("cus_a", "cus_g", "cus_x")] == [acme, globex, None]
    assert [found.of(each).customer_id for each in (acme, globex)] == ["cus_a", "cus_g"]


def test_a_write_is_one_version_on_and_changes_no_other_account(store: tuple[Store, Opened]) -> None:
    found, opened = store
    acme, globex = opened("acme", "cus_1"), opened("globex", "cus_2")
    before = found.of(globex)
    new = found.write(replace(found.of(acme), subscription=snapshot(subscription())), PAID)
    assert (new.version, found.of(acme)) == (2, new)
    assert (found.account_status(acme), found.account_status(globex), found.of(globex)) == (
        PAID,
        TRIAL_OF,
        before,
    )


def test_of_two_writes_of_the_same_version_the_second_changes_nothing(store: tuple[Store, Opened]) -> None:
    found, opened = store
    acme = opened("acme", "cus_3")
    read = found.of(acme)
    first = found.write(replace(read, soft_cap_bytes=1))
    with pytest.raises(BillingRecordChangedError):
        found.write(replace(read, soft_cap_bytes=2), PAID)
    assert (found.of(acme), found.account_status(acme)) == (first, TRIAL_OF)


def test_of_two_first_writes_one_is_the_first(store: tuple[Store, Opened]) -> None:
    found, _ = store
    tenant = TenantId(f"initech-{next(_number)}")
    assert found.of(tenant) == BillingRecord(tenant)
    first = found.write(BillingRecord(tenant, soft_cap_bytes=1))
    with pytest.raises(BillingRecordChangedError):
        found.write(BillingRecord(tenant, soft_cap_bytes=2))
    assert found.of(tenant) == first


def test_there_is_no_standing_of_no_account(store: tuple[Store, Opened]) -> None:
    assert store[0].account_status(TenantId("nobody")) is None


def test_a_deleted_account_does_not_reappear_with_a_status(client: Any) -> None:
    real, tenant = BillingStore("billing", "accounts", client), TenantId("gone")
    with pytest.raises(BillingRecordChangedError):
        real.write(BillingRecord(tenant), PAID)
    assert real.account_status(tenant) is None
    assert real.of(tenant).version == 0


def test_a_standing_leaves_what_else_the_account_s_item_holds(client: Any) -> None:
    real, directory = (
        BillingStore("billing", "accounts", client),
        Directory("accounts", "keys", client=client),
    )
    tenant = TenantId("whole")
    directory.put_account(Account(tenant, TRIAL_OF, owner="person", created_at=NOON))
    real.write(BillingRecord(tenant), PAID)
    assert directory.account(tenant) == Account(tenant, PAID, owner="person", created_at=NOON)


def test_a_shorter_plan_is_written_with_the_day_from_which_it_counts(client: Any) -> None:
    """And going back before then takes that back; another account's terms are as they were."""
    now = NOON
    real, directory = (
        BillingStore("billing", "accounts", client, lambda: now),
        Directory("accounts", "keys", client=client),
    )
    changing, other = TenantId("changing"), TenantId("steady")
    for tenant in (changing, other):
        directory.put_account(Account(tenant, account_status_on(PLANS["managed_30"]), owner="person"))

    def terms(tenant: TenantId) -> RetentionTerms:
        return terms_of(
            account_of(client.get_item(TableName="accounts", Key={"tenant_id": {"S": tenant}})["Item"])
        )

    record = real.write(BillingRecord(changing), PAID)
    assert terms(changing).pending(now) == RetentionStep(NOON + GRACE_DAYS * DAY, 15)
    assert terms(changing).in_force(now).days == 30
    now += DAY
    record = real.write(record, replace(PAID, capped_until=NOON + 9 * DAY))
    assert terms(changing).pending(now) == RetentionStep(NOON + GRACE_DAYS * DAY, 15), (
        "other changes move nothing"
    )
    record = real.write(record, account_status_on(PLANS["managed_30"]))
    assert terms(changing).pending(now) is None
    real.write(record, account_status_on(PLANS["byoc"]))
    assert terms(changing).pending(now) == RetentionStep(now + GRACE_DAYS * DAY, 0)
    assert terms(other) == RetentionTerms(30)


def test_a_customer_belongs_to_one_account_only(client: Any) -> None:
    real = BillingStore("billing", "accounts", client)
    real.write(BillingRecord(TenantId("first")), also=[real.owning("cus_mine", TenantId("first"))])
    with pytest.raises(BillingRecordChangedError):
        real.write(BillingRecord(TenantId("second")), also=[real.owning("cus_mine", TenantId("second"))])
    assert real.owner("cus_mine") == "first"
    real.write(real.of(TenantId("first")), also=[real.disowning("cus_mine")])
    assert real.owner("cus_mine") is None


def test_all_books_and_all_ends_are_found_over_many_pages(client: Any) -> None:
    real, directory = (
        BillingStore("billing", "accounts", client),
        Directory("accounts", "keys", client=client),
    )
    padding = frozenset({"x" * 90_000})
    made = [TenantId(f"many-{n}") for n in range(30)]
    for n, tenant in enumerate(made):
        directory.put_account(Account(tenant, AccountStatus("trial", 15, 1, NOON + n, "trial_ended")))
        real.write(BillingRecord(tenant, reminders_sent=padding), also=[real.owning(f"cus_many_{n}", tenant)])
    assert {each.tenant for each in real.all()} >= set(made)
    ending = dict(real.ending("trial_ended", NOON + 3, NOON + 5))
    assert sorted(each for each in ending if each.startswith("many")) == ["many-3", "many-4", "many-5"]
