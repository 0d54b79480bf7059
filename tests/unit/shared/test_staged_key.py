"""Keys of staged objects, and the tenant ids in them."""

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.errors import PermanentError
from functions.shared.events.staged_key import (
    StagedKey,
    _IdClock,
    is_staged,
    milliseconds_of,
    time_ordered_id,
)
from functions.shared.tenancy import TenantId, row_filter, staged_prefix

tenants = st.from_regex(r"[a-z0-9][a-z0-9_-]{1,62}", fullmatch=True)


@given(
    tenants,
    st.dates(date(1000, 1, 1)),
    st.integers(1, 10**9),
    st.integers(1, 10**12),
    st.dates(date(1000, 1, 1)),
)
def test_a_key_has_what_was_put_into_it(
    tenant: str, day: date, rows: int, raw_bytes: int, expires_on: date
) -> None:
    key = StagedKey(TenantId(tenant), day, time_ordered_id(), rows, raw_bytes, expires_on)
    assert StagedKey.parse(str(key)) == key
    assert str(key).startswith(staged_prefix(TenantId(tenant)))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "staged/v1/tenant=acme/day=2026-11-23/x.ndjson.zst",
        "staged/v1/tenant=acme/day=2026-11-23/abc-r0-b9-x20261223.ndjson.zst",
        "staged/v1/tenant=acme/day=2026-11-23/abc-r1-x20261223.ndjson.zst",
        "staged/v1/tenant=acme/day=2026-11-23/abc-r1-b0-x20261223.ndjson.zst",
        "staged/v1/tenant=acme/day=2026-11-23/abc-r1-b9-x20261323.ndjson.zst",
        "staged/v1/tenant=acme/day=2026-13-23/abc-r1-b9-x20261223.ndjson.zst",
        "staged/v1/tenant=ACME/day=2026-11-23/abc-r1-b9-x20261223.ndjson.zst",
        "staged/v1/tenant=a/b/day=2026-11-23/abc-r1-b9-x20261223.ndjson.zst",
        "quarantine/v1/tenant=acme/day=2026-11-23/abc-r1-b9-x20261223.ndjson.zst",
        "staged/v1/tenant=acme/day=2026-11-23/abc-r1-b9-x20261223.ndjson.zst\n",
    ],
)
def test_what_is_no_staged_key_is_refused(key: str) -> None:
    assert not is_staged(key)
    with pytest.raises(PermanentError):
        StagedKey.parse(key)


@pytest.mark.parametrize("text", ["", "a", "A1", "../x", "a/b", "a" * 64, "a b", "-ab", 'a"b', "ab\n", "é1"])
def test_a_tenant_id_is_safe_wherever_it_is_put(text: str) -> None:
    with pytest.raises(PermanentError):
        TenantId(text)


def test_ids_sort_by_time() -> None:
    ids = [time_ordered_id(ms) for ms in (0, 1, 31, 32, 10**12, 10**12 + 1, 2**48 - 1)]
    assert ids == sorted(ids)
    assert len({len(each) for each in ids}) == 1


def test_ids_that_one_process_makes_sort_in_the_order_in_which_they_were_made() -> None:
    ids = [time_ordered_id() for _ in range(5000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_ids_stay_in_order_when_the_clock_stands_still_or_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter([10**19 + 5, 10**19 + 5, 10**19 - 10**9, 10**19 + 10**9])
    monkeypatch.setattr("functions.shared.events.staged_key.time.time_ns", lambda: next(readings))
    monkeypatch.setattr("functions.shared.events.staged_key._id_clock", _IdClock())
    ids = [time_ordered_id() for _ in range(4)]
    assert ids == sorted(ids)


def test_an_id_sorts_between_those_of_the_milliseconds_around_it() -> None:
    made = time_ordered_id()
    now_ms = milliseconds_of(made)
    assert time_ordered_id(now_ms - 1) < made < time_ordered_id(now_ms + 1)
    assert abs(now_ms - time.time() * 1000) < 60_000


@pytest.mark.parametrize("now_ms", [0, 1, 1_795_946_400_123, 2**48 - 1])
def test_the_time_of_an_id_can_be_read_from_it_also_from_that_of_a_part(now_ms: int) -> None:
    assert milliseconds_of(time_ordered_id(now_ms)) == now_ms
    assert milliseconds_of(f"{time_ordered_id(now_ms)}p000012") == now_ms


@pytest.mark.parametrize("text", ["", "x", "u" * 26, "0" * 25, "0" * 27, "0" * 26 + "p", "0" * 26 + "\n"])
def test_other_texts_are_no_ids(text: str) -> None:
    with pytest.raises(ValueError, match="time-ordered"):
        milliseconds_of(text)


def test_the_filter_of_one_tenant_never_names_another() -> None:
    condition, parameters = row_filter(TenantId("acme"))
    assert parameters == {"tenant_id": "acme"}
    assert "acme" not in condition
