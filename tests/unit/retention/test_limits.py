"""What accounts say of retention, and whose rows have to be looked for."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from functions.accounts import directory
from functions.retention.accounts import AccountScan
from functions.retention.limits import (
    STRAGGLING_DAYS,
    AccountRetention,
    Limit,
    days_kept,
    limits_of,
    moved_to_byoc,
    shortened,
)
from functions.retention.violations import TenantRowCount, past_retention
from functions.shared.accounts.account_status import AccountStatus, account_status_on
from functions.shared.accounts.retention_terms import (
    GRACE_DAYS,
    SECONDS_A_DAY,
    RetentionStep,
    RetentionTerms,
    terms_after,
)
from functions.shared.plans import PLANS
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from tests.account_items import account_item
from tests.aws_environment import set_aws_environment

NOW = 1_800_000_000
DAY = SECONDS_A_DAY
ACME, GLOBEX = TenantId("acme"), TenantId("globex")
SHORT, LONG, OWN = (account_status_on(PLANS[name]) for name in ("managed_15", "managed_30", "byoc"))


def account(terms: RetentionTerms, tenant: TenantId = ACME) -> AccountRetention:
    return AccountRetention(tenant, "managed_15", terms)


def test_who_moves_has_moved_when_the_grace_is_over_however_lately_the_plan_had_changed_before() -> None:
    longer = terms_after(RetentionTerms(15), LONG, NOW - DAY)
    terms = terms_after(longer, OWN, NOW)
    accounts = [AccountRetention(ACME, "byoc", terms), account(terms_after(longer, SHORT, NOW), GLOBEX)]
    assert shortened(accounts, NOW) == [ACME, GLOBEX]
    over = NOW + GRACE_DAYS * DAY
    assert [moved_to_byoc(accounts, at) for at in (NOW, over - 1, over)] == [[], [], [ACME]]
    assert moved_to_byoc(accounts, over + STRAGGLING_DAYS * DAY) == []


def test_a_limit_binds_once_a_plan_has_changed() -> None:
    changed = terms_after(RetentionTerms(30), SHORT, NOW)
    accounts = [account(changed), account(RetentionTerms(15), GLOBEX)]
    assert limits_of(accounts, NOW) == {ACME: Limit(30, binding=True), GLOBEX: Limit(15)}
    assert limits_of(accounts, NOW + GRACE_DAYS * DAY)[ACME] == Limit(15, binding=True)


def test_a_tenant_is_looked_for_from_the_end_of_the_grace_until_its_old_rows_would_be_gone() -> None:
    accounts = [account(terms_after(RetentionTerms(30), SHORT, NOW)), account(RetentionTerms(15), GLOBEX)]
    effect = NOW + GRACE_DAYS * DAY
    end = effect + (15 + STRAGGLING_DAYS) * DAY
    assert [shortened(accounts, at) for at in (NOW, effect - 1, effect, end - 1, end)] == [
        [], [], [ACME], [ACME], [],
    ]  # fmt: skip


def test_a_shorter_term_is_looked_after_while_a_still_shorter_one_is_pending() -> None:
    """In the second grace the first change still holds: rows beyond 15 days do not get their 30 back."""
    steps = (RetentionStep(NOW - DAY, 15), RetentionStep(NOW + DAY, 0))
    assert shortened([account(RetentionTerms(0, steps))], NOW) == [ACME]
    assert limits_of([account(RetentionTerms(0, steps))], NOW) == {ACME: Limit(15, binding=True)}


def test_days_raised_by_hand_after_a_change_are_kept() -> None:
    """Rows are stamped with them: what was announced before is no reason to take them sooner."""
    raised = account(RetentionTerms(30, (RetentionStep(NOW - DAY, 15),)))
    assert limits_of([raised], NOW) == {ACME: Limit(30, binding=True)}
    old = TenantRowCount(ACME, datetime.fromtimestamp(NOW - 20 * DAY, UTC), 3)
    assert past_retention([old], [raised], datetime.fromtimestamp(NOW, UTC)) == []


@given(st.lists(st.tuples(st.sampled_from([SHORT, LONG, OWN]), st.integers(0, 20 * DAY)), max_size=8))
def test_what_is_announced_is_never_less_than_what_new_rows_are_stamped_with(
    changes: list[tuple[AccountStatus, int]],
) -> None:
    """So raising the retention to that, for changes made by hand, changes nothing of recorded changes."""
    terms, now = RetentionTerms(30), NOW
    for account_status, seconds in changes:
        terms, now = terms_after(terms, account_status, now), now + seconds
        for at in (now - seconds, now, now + GRACE_DAYS * DAY):
            assert days_kept(terms, at) == terms.in_force(at).days


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    set_aws_environment(monkeypatch)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="accounts",
            KeySchema=[{"AttributeName": "tenant_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "tenant_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def test_every_account_is_read_as_sign_up_and_billing_write_it(dynamodb: Any) -> None:
    accounts = directory.Directory("accounts", "keys", client=dynamodb)
    accounts.put_account(directory.Account(ACME, LONG))
    accounts.put_account(directory.Account(GLOBEX, OWN))
    terms = terms_after(RetentionTerms(30), SHORT, NOW)
    item = account_item("changed", SHORT, terms)
    dynamodb.put_item(TableName="accounts", Item=item)
    dynamodb.put_item(TableName="accounts", Item={"tenant_id": {"S": "tombstone"}})

    found = {each.tenant: each for each in AccountScan("accounts", dynamodb).all()}
    assert found == {
        ACME: AccountRetention(ACME, "managed_30", RetentionTerms(30)),
        GLOBEX: AccountRetention(GLOBEX, "byoc", RetentionTerms(0)),
        "changed": AccountRetention(TenantId("changed"), "managed_15", terms),
    }


class Paging:
    """DynamoDB with one account a page."""

    def __init__(self) -> None:
        self.items = [account_item(name, LONG) for name in ("aa", "bb", "cc")]

    def scan(self, ExclusiveStartKey: Any = None, **_asked: Any) -> dict[str, Any]:  # noqa: N803
        number = int(ExclusiveStartKey["tenant_id"]["S"]) if ExclusiveStartKey else 0
        more = {"LastEvaluatedKey": {"tenant_id": {"S": str(number + 1)}}}
        return {"Items": [self.items[number]], **(more if number + 1 < len(self.items) else {})}


def test_all_pages_are_read() -> None:
    assert [each.tenant for each in AccountScan("accounts", Paging()).all()] == ["aa", "bb", "cc"]


def test_a_table_that_does_not_answer_is_not_an_empty_one(dynamodb: Any) -> None:
    with pytest.raises(StoreUnavailableError, match="ResourceNotFoundException"):
        AccountScan("missing", dynamodb).all()
