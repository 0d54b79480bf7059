"""Tries are counted before they are made; one address cannot lock out another."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from bench.children import child
from functions.accounts import attempts as attempts_module
from functions.accounts.attempts import ADDRESS_TRIES, PAIR_TRIES, AttemptLimiter
from functions.shared.errors import HttpError
from functions.shared.tables.store_errors import StoreUnavailableError
from tests.integration.accounts.faults import silent
from tests.unit.accounts.public_routes import client

NOW = 1_800_000_000.0
QUARTER_HOUR, HOUR, DAY = 900, 3600, 86_400
assert NOW % HOUR == 0, "windows begin at NOW"

FEW = 20

ADA, GRACE = "ada@example.com", "grace@example.com"
HOME, CAFE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with child("local.aws") as aws:
        yield client("dynamodb", f"http://127.0.0.1:{aws.port}")


@pytest.fixture
def table(dynamodb: Any) -> str:
    name = f"attempts-{uuid4().hex}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "counter", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "counter", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account takes FEW failures an hour, so that a test need not make a hundred."""
    assert attempts_module.ACCOUNT_TRIES["password"] == 100
    monkeypatch.setitem(attempts_module.ACCOUNT_TRIES, "password", FEW)


@pytest.fixture
def attempts(table: str, dynamodb: Any) -> AttemptLimiter:
    return AttemptLimiter(table, dynamodb)


def fail(attempts: AttemptLimiter, times: int, address: str, account: str, now: float = NOW) -> None:
    for _ in range(times):
        attempts.begin("password", address, account, now)


def stopped(attempts: AttemptLimiter, address: str, account: str, now: float = NOW) -> int:
    """The seconds to wait; fails when nothing stops the try."""
    with pytest.raises(HttpError) as caught:
        attempts.begin("password", address, account, now)
    assert (caught.value.status, caught.value.code) == (429, "too_many_attempts")
    assert caught.value.retry_after_seconds is not None
    return caught.value.retry_after_seconds


def lock(attempts: AttemptLimiter, account: str, now: float = NOW) -> None:
    """As many failures from as many places as an account takes in an hour."""
    for number in range(FEW // PAIR_TRIES):
        fail(attempts, PAIR_TRIES, f"203.0.113.{number}", account, now)


def test_ten_failures_stop_an_address_at_an_account_until_the_window_ends(attempts: AttemptLimiter) -> None:
    fail(attempts, PAIR_TRIES, HOME, ADA, NOW + 100)
    assert stopped(attempts, HOME, ADA, NOW + 100) == QUARTER_HOUR - 100
    fail(attempts, 1, HOME, GRACE, NOW + 100)
    fail(attempts, 1, CAFE, ADA, NOW + 100)
    fail(attempts, 1, HOME, ADA, NOW + QUARTER_HOUR)
    assert PAIR_TRIES == 10


def test_a_success_forgets_the_failures_of_its_pair(attempts: AttemptLimiter) -> None:
    fail(attempts, 9, HOME, ADA)
    attempts.begin("password", HOME, ADA, NOW).record_success(NOW)
    fail(attempts, 10, HOME, ADA)
    stopped(attempts, HOME, ADA)


def test_fifty_failures_over_all_accounts_stop_an_address(attempts: AttemptLimiter) -> None:
    for number in range(ADDRESS_TRIES):
        fail(attempts, 1, HOME, f"person{number}@example.com")
    assert stopped(attempts, HOME, GRACE) == QUARTER_HOUR
    fail(attempts, 1, CAFE, GRACE)
    assert ADDRESS_TRIES == 50


def test_an_attackers_own_account_does_not_clear_the_counter_of_his_address(attempts: AttemptLimiter) -> None:
    for number in range(ADDRESS_TRIES):
        fail(attempts, 1, HOME, f"person{number}@example.com")
        if number % 10 == 0 and number < 40:
            attempts.begin("password", HOME, "attacker@example.com", NOW).record_success(NOW)
    stopped(attempts, HOME, GRACE)


def test_what_succeeds_has_a_limit_too_for_one_address_at_one_account(
    attempts: AttemptLimiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above what people do, and below what one account could take of the provider's requests of all."""
    assert attempts_module.GOOD_TRIES == 100
    monkeypatch.setattr(attempts_module, "GOOD_TRIES", 15)
    for _ in range(15):
        attempts.begin("password", HOME, ADA, NOW).record_success(NOW)
    assert stopped(attempts, HOME, ADA, NOW + 60) == QUARTER_HOUR - 60
    fail(attempts, 1, HOME, GRACE)
    fail(attempts, 1, CAFE, ADA)
    fail(attempts, 1, HOME, ADA, NOW + QUARTER_HOUR)


def test_a_persons_sessions_are_used_so_often_and_anothers_as_often(
    attempts: AttemptLimiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert attempts_module.SESSION_USES == 300
    monkeypatch.setattr(attempts_module, "SESSION_USES", 12)
    for _ in range(12):
        attempts.admit_session("ada", NOW)
    with pytest.raises(HttpError) as caught:
        attempts.admit_session("ada", NOW + 100)
    assert (caught.value.status, caught.value.retry_after_seconds) == (429, QUARTER_HOUR - 100)
    attempts.admit_session("grace", NOW)
    attempts.admit_session("ada", NOW + QUARTER_HOUR)


def test_a_stranger_makes_at_most_a_hundred_counters_in_a_window(
    attempts: AttemptLimiter, table: str, dynamodb: Any
) -> None:
    """However many accounts he makes up: of the address's own counter there is one, of a pair 2 each."""
    refused = 0
    for number in range(ADDRESS_TRIES + 100):
        try:
            attempts.begin("password", HOME, f"made-up-{number}@example.com", NOW)
        except HttpError:
            refused += 1
    assert refused == 100
    items = dynamodb.scan(TableName=table)["Items"]
    assert len(items) == 1 + 2 * ADDRESS_TRIES
    assert all(int(item["forget_at"]["N"]) <= NOW + HOUR for item in items)


def test_successes_alone_never_reach_the_limit(table: str, dynamodb: Any) -> None:
    attempts = AttemptLimiter(table, dynamodb, address_tries=5)
    for _ in range(PAIR_TRIES + 5):
        attempts.begin("password", HOME, ADA, NOW).record_success(NOW, remember=True)


@pytest.mark.usefixtures("few")
def test_a_hundred_failures_an_hour_stop_strangers_and_not_the_usual_places(attempts: AttemptLimiter) -> None:
    attempts.begin("password", HOME, ADA, NOW - 29 * DAY).record_success(NOW - 29 * DAY, remember=True)
    lock(attempts, ADA)
    assert stopped(attempts, CAFE, ADA) == HOUR
    attempts.begin("password", HOME, ADA, NOW).record_success(NOW)
    fail(attempts, 1, CAFE, GRACE)
    fail(attempts, 1, CAFE, ADA, NOW + HOUR)


@pytest.mark.usefixtures("few")
def test_a_place_is_usual_for_thirty_days_and_for_its_own_account(attempts: AttemptLimiter) -> None:
    attempts.begin("password", HOME, ADA, NOW - 30 * DAY).record_success(NOW - 30 * DAY, remember=True)
    attempts.begin("password", HOME, GRACE, NOW).record_success(NOW, remember=True)
    lock(attempts, ADA)
    stopped(attempts, HOME, ADA)


@pytest.mark.usefixtures("few")
def test_a_usual_place_does_not_guess_without_end_either(attempts: AttemptLimiter) -> None:
    attempts.begin("password", HOME, ADA, NOW).record_success(NOW, remember=True)
    lock(attempts, ADA)
    fail(attempts, PAIR_TRIES, HOME, ADA)
    stopped(attempts, HOME, ADA)


@pytest.mark.usefixtures("few")
def test_what_one_counter_stops_does_not_use_up_the_account(attempts: AttemptLimiter) -> None:
    fail(attempts, PAIR_TRIES, HOME, ADA)
    for _ in range(FEW):
        stopped(attempts, HOME, ADA)
    fail(attempts, FEW - PAIR_TRIES, CAFE, ADA)
    stopped(attempts, "198.51.100.1", ADA)


def test_passwords_codes_and_mails_are_counted_apart(attempts: AttemptLimiter) -> None:
    fail(attempts, PAIR_TRIES, HOME, ADA)
    stopped(attempts, HOME, ADA)
    attempts.begin("code", HOME, ADA, NOW)
    attempts.begin("mail", HOME, ADA, NOW)


def test_tries_made_at_once_do_not_slip_through_together(attempts: AttemptLimiter) -> None:
    def tries(_: int) -> bool:
        try:
            attempts.begin("password", HOME, ADA, NOW)
        except HttpError:
            return False
        return True

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(tries, range(30))) == PAIR_TRIES


def test_nobodys_address_is_stored_and_everything_is_forgotten(
    attempts: AttemptLimiter, table: str, dynamodb: Any
) -> None:
    attempts.begin("password", HOME, ADA, NOW).record_success(NOW, remember=True)
    fail(attempts, 1, HOME, ADA)
    items = dynamodb.scan(TableName=table)["Items"]
    assert len(items) == 4
    for item in items:
        assert len(item["counter"]["S"]) == 64
        assert NOW < int(item["forget_at"]["N"]) <= NOW + 30 * DAY
    assert not any(text in str(items) for text in (HOME, ADA))


def test_what_cannot_be_counted_is_not_tried(
    attempts: AttemptLimiter, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = attempts.begin("password", HOME, ADA, NOW)
    monkeypatch.setattr(dynamodb, "update_item", silent)
    with pytest.raises(StoreUnavailableError):
        attempts.begin("password", HOME, ADA, NOW)
    begun.record_success(NOW)
