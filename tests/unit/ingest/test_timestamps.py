"""Every form of time a sender may write ends at the right nanosecond."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.events import timestamps

NOON = 1_763_899_200  # 2025-11-23T12:00:00Z


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("2025-11-23T12:00:00Z", NOON * 10**9),
        ("2025-11-23T12:00:00z", NOON * 10**9),
        ("2025-11-23t12:00:00.5Z", NOON * 10**9 + 500_000_000),
        ("2025-11-23T14:00:00+02:00", NOON * 10**9),
        ("2025-11-23T14:00:00+0200", NOON * 10**9),
        ("2025-11-23T14:00:00+02", NOON * 10**9),
        ("2025-11-23 12:00:00", NOON * 10**9),
        ("2025-11-23 12:00:00.123", NOON * 10**9 + 123_000_000),
        ("2025-11-23 12:00:00,123", NOON * 10**9 + 123_000_000),
        ("2025-11-23 12:00:00 UTC", NOON * 10**9),
        ("2025-11-23T12:00:00.123456789Z", NOON * 10**9 + 123_456_789),
        ("2025-11-23T12:00:00.1234567891234Z", NOON * 10**9 + 123_456_789),
        ("2025-11-23T12:00Z", NOON * 10**9),
        ("2025-11-23", (NOON - 12 * 3600) * 10**9),
        ("20251123T120000Z", NOON * 10**9),
        ("20251123T120000.123456789Z", NOON * 10**9 + 123_456_789),
        ("2025-11-23T120000.1234567Z", NOON * 10**9 + 123_456_700),
        ("20251123T140000,1234567+0200", NOON * 10**9 + 123_456_700),
        ("20251123T120000.5", NOON * 10**9 + 500_000_000),
        ("2025-W47-7T12:00:00Z", NOON * 10**9),
        ("2025-W47-7T12:00:00.123456789Z", NOON * 10**9 + 123_456_789),
        ("2016-12-31T23:59:60Z", 1_483_228_800 * 10**9),
        (str(NOON), NOON * 10**9),
        (f"{NOON}.25", NOON * 10**9 + 250_000_000),
    ],
)
def test_a_written_time_is_understood(text: str, nanoseconds: int) -> None:
    assert timestamps.from_text(text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2025-13-01T00:00:00Z", "2025-11-23T25:00:00Z", "12:00", "--5", "٣"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    assert timestamps.from_text(text) is None


@pytest.mark.parametrize("factor", [1, 10**3, 10**6, 10**9])
def test_the_unit_of_an_epoch_number_follows_from_its_size(factor: int) -> None:
    assert timestamps.from_number(str(NOON * factor)) == NOON * 10**9


def test_a_fraction_of_a_second_keeps_its_digits() -> None:
    assert timestamps.from_number("1763899200.123456789") == NOON * 10**9 + 123_456_789


@pytest.mark.parametrize("text", ["1e999999999", "9" * 5000, "1e400", "1" + "0" * 30])
def test_a_number_beyond_any_time_is_refused_without_being_expanded(text: str) -> None:
    assert timestamps.from_number(text) is None


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2261, 1, 1)),
    st.integers(0, 999),
    st.integers(-14 * 60, 14 * 60),
)
def test_text_and_back_is_the_same_nanosecond(moment: datetime, nanos: int, offset_minutes: int) -> None:
    aware = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=offset_minutes)))
    text = f"{aware:%Y-%m-%dT%H:%M:%S}.{aware.microsecond:06d}{nanos:03d}{aware:%z}"
    expected = timestamps.from_datetime(moment.replace(tzinfo=UTC)) + nanos
    assert timestamps.from_text(text) == expected
    assert timestamps.from_text(timestamps.to_text(expected)) == expected
