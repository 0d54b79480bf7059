"""Times as callers write them, in time zones whose clocks change."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.query.requests.request import FilterBody, search, time_range
from functions.query.requests.time_expressions import parse
from functions.query.times import MAX, NANOSECONDS, rfc3339
from functions.shared.errors import HttpError

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    UTC, BERLIN,
    *map(ZoneInfo, ("America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu")),
]  # fmt: skip
NOW = "2026-11-23T10:07:42.123456789Z"


def instant(text: str) -> int:
    return parse(text, 0, UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("now", NOW),
        ("now-15m", "2026-11-23T09:52:42.123456789Z"),
        ("-1h", "2026-11-23T09:07:42.123456789Z"),
        ("+1h", "2026-11-23T11:07:42.123456789Z"),
        ("now-15m/m", "2026-11-23T09:52:00Z"),
        ("now/s", "2026-11-23T10:07:42Z"),
        ("now/h", "2026-11-23T10:00:00Z"),
        ("now/d", "2026-11-22T23:00:00Z"),
        ("now-1d/d", "2026-11-21T23:00:00Z"),
        ("now-1d/d+8h", "2026-11-22T07:00:00Z"),
        ("now/w", "2026-11-22T23:00:00Z"),
        ("now-1w/w", "2026-11-15T23:00:00Z"),
        ("now/M", "2026-10-31T23:00:00Z"),
        ("now-1M/M", "2026-09-30T22:00:00Z"),
        ("now/y", "2025-12-31T23:00:00Z"),
        ("now-30d", "2026-10-24T09:07:42.123456789Z"),
        ("now-9M", "2026-02-23T10:07:42.123456789Z"),
        ("now-1y", "2025-11-23T10:07:42.123456789Z"),
        ("now-0d", NOW),
        ("2026-11-23", "2026-11-22T23:00:00Z"),
        ("2026-07-01", "2026-06-30T22:00:00Z"),
        ("2026-11-23T10:00:00+05:30", "2026-11-23T04:30:00Z"),
        ("2026-11-23T10:00:00.000000001Z", "2026-11-23T10:00:00.000000001Z"),
        ("1763892462", "2025-11-23T10:07:42Z"),
        ("1763892462.5", "2025-11-23T10:07:42.5Z"),
        (1763892462, "2025-11-23T10:07:42Z"),
        (1763892462.5, "2025-11-23T10:07:42.5Z"),
        (1763892462123, "2025-11-23T10:07:42.123Z"),
        (1763892462123456, "2025-11-23T10:07:42.123456Z"),
        (1763892462123456789, "2025-11-23T10:07:42.123456789Z"),
        ("1763892462123456789", "2025-11-23T10:07:42.123456789Z"),
        (0, "1970-01-01T00:00:00Z"),
    ],
)
def test_each_form_means_its_time(written: Any, meant: str) -> None:
    assert rfc3339(parse(written, instant(NOW), BERLIN)) == meant


@pytest.mark.parametrize(
    ("now", "written", "meant"),
    [
        ("2026-10-25T12:00:00Z", "now-1d", "2026-10-24T11:00:00Z"),
        ("2026-10-25T12:00:00Z", "now-24h", "2026-10-24T12:00:00Z"),
        ("2026-10-25T01:30:00Z", "now/h", "2026-10-25T01:00:00Z"),
        ("2026-10-25T00:30:00Z", "now/h", "2026-10-25T00:00:00Z"),
        ("2026-03-30T00:30:00Z", "now-1d", "2026-03-29T01:30:00Z"),
        ("2026-03-31T12:00:00Z", "now-1M", "2026-02-28T13:00:00Z"),
    ],
)
def test_days_are_those_of_the_clock_and_hours_are_lengths(now: str, written: str, meant: str) -> None:
    assert rfc3339(parse(written, instant(now), BERLIN)) == meant


def test_a_day_whose_midnight_the_clock_skips_starts_after_the_gap() -> None:
    santiago = ZoneInfo("America/Santiago")
    assert rfc3339(parse("2026-09-06", 0, santiago)) == "2026-09-06T04:00:00Z"
    assert rfc3339(parse("now/d", instant("2026-09-06T15:00:00Z"), santiago)) == "2026-09-06T04:00:00Z"


@pytest.mark.parametrize(
    "written",
    [
        "", "yesterday", "now-", "now-5", "now-5x", "now 5m", "now/", "now/q", "5m", "-m", "nownow", "NOW",
        "2026-13-01", "2026-02-30", "2026-11-23T10:00:00", "10:00", "1e9", "-5", "--5m", "now-1d/d" * 9,
        "-1h" * 9, "٣", "now-٣m", "9" * 50, "now-1m" + " " * 200, -1e300, 1e300, "2026-11-23 ",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["from", "to"])
def test_anything_else_is_an_error_that_names_the_field_and_the_forms(written: Any, name: str) -> None:
    body = FilterBody(since=written) if name == "from" else FilterBody(until=written)
    with pytest.raises(HttpError) as refused:
        time_range(body, instant(NOW))
    assert refused.value.code == f"invalid_{name}"
    message = str(refused.value)
    assert f"'{name}' must be" in message
    for form in ("2026-11-23T10:00:00Z", "2026-11-23)", "now-15m", "epoch number"):
        assert form in message


@pytest.mark.parametrize(
    "written",
    [
        "now-999999999y", "now-999999999d", "now-999999999m", "now+999999999m", "now-57y", "1969-12-31", -1,
        "9999-12-31", "2262-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "now+300y", "0001-01-01",
    ],
)  # fmt: skip
@pytest.mark.parametrize("zone", ZONES)
def test_a_time_that_cannot_be_stored_is_an_error(written: Any, zone: Any) -> None:
    with pytest.raises(ValueError, match="1970 to 2261"):
        parse(written, instant(NOW), zone)


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T10:60:00Z",
        "2026-11-23T10:00:60Z", "2026-11-23T10:00:00+25:00", "2026-11-23T10:00:00+99:99",
        "0000-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_a_time_that_does_not_exist_is_an_error_that_says_what_to_check(written: str) -> None:
    with pytest.raises(HttpError) as refused:
        time_range(FilterBody(since=written), instant(NOW))
    assert refused.value.message == (
        "'from' is a time that does not exist: check its month, day, hour, minute, second and offset."
    )


MOMENTS = st.integers(3 * 366 * 86_400 * NANOSECONDS, MAX - 3 * 366 * 86_400 * NANOSECONDS)
RECENT = st.integers(instant("2000-01-01"), instant("2037-01-01"))


@given(now=RECENT, unit=st.sampled_from("smhdwMy"), zone=st.sampled_from(ZONES))
def test_rounding_goes_down_by_less_than_the_unit_and_again_changes_nothing(
    now: int, unit: str, zone: Any
) -> None:
    rounded = parse(f"now/{unit}", now, zone)
    longest = {"s": 1, "m": 60, "h": 5400, "d": 90_000, "w": 608_400, "M": 2_682_000, "y": 31_626_000}[unit]
    assert 0 <= now - rounded < longest * NANOSECONDS
    assert parse(f"now/{unit}", rounded, zone) == rounded
    local, whole = (datetime.fromtimestamp(each // NANOSECONDS, zone) for each in (rounded, now))
    names = {"s": 6, "m": 5, "h": 4, "d": 3, "M": 2, "y": 1}
    if unit in names:
        assert local.timetuple()[: names[unit]] == whole.timetuple()[: names[unit]]
    else:
        assert local.isocalendar()[:2] == whole.isocalendar()[:2]


@given(now=MOMENTS, amount=st.integers(0, 700), unit=st.sampled_from("smhd"), zone=st.sampled_from(ZONES))
def test_adding_what_was_subtracted_returns_to_the_same_clock_time(
    now: int, amount: int, unit: str, zone: Any
) -> None:
    back = parse(f"now-{amount}{unit}+{amount}{unit}", now, zone)
    # A day whose clock time does not exist, or exists twice, may shift it by the change of the clock.
    assert abs(back - now) <= (7200 * NANOSECONDS if unit == "d" else 0)
    earlier = parse(f"-{amount}{unit}", now, zone)
    length = amount * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[unit] * NANOSECONDS
    assert abs(now - earlier - length) <= (7200 * NANOSECONDS if unit == "d" else 0)


@given(now=MOMENTS, zone=st.sampled_from(ZONES))
def test_a_time_written_in_any_form_is_that_time(now: int, zone: Any) -> None:
    seconds = now // NANOSECONDS
    assert parse(rfc3339(now), 0, zone) == now
    local = datetime.fromtimestamp(seconds, zone)
    if not (local.utcoffset() or timedelta()) % timedelta(minutes=1):
        assert parse(local.isoformat(), 0, zone) == seconds * NANOSECONDS
    if now >= 10**17:
        assert parse(now, 0, zone) == parse(str(now), 0, zone) == now


@given(st.text(alphabet="now+-/0123456789smhdwMyTZ:. ", max_size=30))
def test_any_text_is_a_time_or_one_error(text: str) -> None:
    said = ""
    try:
        found = parse(text, instant(NOW), BERLIN)
    except ValueError as fault:
        found, said = 0, str(fault)
    assert 0 <= found < MAX
    assert re.match("(must be an RFC 3339 time|is outside the years|is )|$", said)


@pytest.mark.parametrize(
    "name",
    [
        "Mars/Base", "", "../UTC", "/etc/passwd", "Europe", "utc\x00", "x" * 64, "right/Europe/Berlin",
        "posix/UTC", "localtime", "posixrules", "Factory",
    ],
)  # fmt: skip
def test_a_zone_that_does_not_exist_is_an_error_with_examples(name: str) -> None:
    with pytest.raises(HttpError) as refused:
        time_range(FilterBody(time_zone=name))
    assert refused.value.code == "invalid_time_zone"
    assert "Europe/Berlin" in str(refused.value)


def test_a_search_is_about_the_time_range_of_its_body_in_its_zone() -> None:
    body = b'{"from": "now-1d/d", "to": "now/d", "time_zone": "Asia/Kolkata"}'
    found = search(body, instant(NOW))
    assert (rfc3339(found.since), rfc3339(found.until)) == ("2026-11-21T18:30:00Z", "2026-11-22T18:30:00Z")
