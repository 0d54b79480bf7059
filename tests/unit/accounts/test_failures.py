"""Bad keys by address: counted together by all environments, never at the cost of a verdict."""

from typing import Any

import pytest

from functions.accounts import failures
from functions.accounts.attempt_counter import TableCounter
from functions.accounts.failures import MAX_ADDRESSES, MOST, PAUSE_SECONDS, WINDOW_SECONDS, FailureLimiter
from tests.unit.accounts.account_service import World

NOW = 1_800_000_000.0


def writes(here: World) -> int:
    return here.calls.count("UpdateItem")


class Down:
    """A DynamoDB that does not answer."""

    def __init__(self) -> None:
        self.asked = 0

    def update_item(self, **_: Any) -> Any:
        from botocore.exceptions import ConnectTimeoutError

        self.asked += 1
        raise ConnectTimeoutError(endpoint_url="http://127.0.0.1")


def test_more_than_a_hundred_in_a_window_are_too_many(here: World) -> None:
    counted = FailureLimiter(TableCounter("attempts", here.client))
    assert [counted.count_failure("198.51.100.1", NOW) for _ in range(MOST + 2)] == [False] * MOST + [
        True
    ] * 2
    assert not counted.count_failure("198.51.100.2", NOW)
    assert counted.seconds_left(NOW) == WINDOW_SECONDS - int(NOW) % WINDOW_SECONDS
    assert not counted.count_failure("198.51.100.1", NOW + WINDOW_SECONDS)


def test_environments_count_together(here: World) -> None:
    several = [FailureLimiter(TableCounter("attempts", here.client)) for _ in range(4)]
    for number in range(MOST):
        assert not several[number % 4].count_failure("198.51.100.3", NOW)
    assert all(each.count_failure("198.51.100.3", NOW) for each in several)


def test_a_failure_is_one_write_and_none_once_the_address_is_over(here: World) -> None:
    counted = FailureLimiter(TableCounter("attempts", here.client))
    here.calls.clear()
    for _ in range(MOST + 1):
        counted.count_failure("198.51.100.4", NOW)
    assert writes(here) == len(here.calls) == MOST + 1
    for _ in range(50):
        assert counted.count_failure("198.51.100.4", NOW)
    assert writes(here) == MOST + 1


def test_without_dynamodb_an_environment_counts_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [0.0]
    monkeypatch.setattr(failures.time, "monotonic", lambda: seconds[0])
    down = Down()
    counted = FailureLimiter(TableCounter("attempts", down))
    assert [counted.count_failure("198.51.100.5", NOW) for _ in range(MOST + 1)] == [False] * MOST + [True]
    assert down.asked == 1
    seconds[0] += PAUSE_SECONDS
    counted.count_failure("198.51.100.6", NOW)
    assert down.asked == 2


def test_a_subscribers_many_addresses_are_one(here: World) -> None:
    counted = FailureLimiter(TableCounter("attempts", here.client))
    for number in range(MOST):
        counted.count_failure(f"2001:db8:0:7::{number:x}", NOW)
    assert counted.count_failure("2001:db8:0:7:ffff::1", NOW)
    assert not counted.count_failure("2001:db8:0:8::1", NOW)


@pytest.mark.parametrize("address", ["", "unknown", "1.2.3.4, 5.6.7.8"])
def test_an_address_that_is_none_does_no_harm(here: World, address: str) -> None:
    assert not FailureLimiter(TableCounter("attempts", here.client)).count_failure(address, NOW)


def test_memory_is_bounded() -> None:
    counted = FailureLimiter(TableCounter("attempts", Down()))
    for number in range(MAX_ADDRESSES + 10):
        counted.count_failure(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", NOW)
    assert len(counted._counts) <= MAX_ADDRESSES


def test_nobodys_address_is_stored(here: World) -> None:
    FailureLimiter(TableCounter("attempts", here.client)).count_failure("203.0.113.99", NOW)
    assert "203.0.113.99" not in str(here.client.scan(TableName="attempts")["Items"])
