"""Staged once under an Idempotency-Key: at the same moment, past midnight, and for 24 hours."""

from datetime import UTC, datetime, timedelta
from typing import Any

import obstore
import pytest
from obstore.store import MemoryStore

from functions.ingest.idempotency import Once
from functions.ingest.rows import Receipt
from functions.ingest.stage import Package, Staging
from functions.shared.errors import RefusalError
from functions.shared.staging import is_staged
from functions.shared.tenancy import TenantId

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
MOMENT = timedelta(microseconds=1)


def receipt(received_at: datetime, tenant: str = "acme") -> Receipt:
    return Receipt(TenantId(tenant), "default", received_at, 30)


def package(rows: int = 2) -> Package:
    return Package(b"frames", rows, 100)


def once(key: str = "key", body: bytes = b"body") -> Once:
    sent = Once(key)
    assert list(sent.reading(iter((body,)))) == [body]
    return sent


def staged(store: Any) -> list[str]:
    return sorted(each["path"] for some in obstore.list(store) for each in some if is_staged(each["path"]))


@pytest.fixture
def store() -> Any:
    return MemoryStore()


@pytest.fixture
def staging(store: Any) -> Staging:
    return Staging(store)


def test_without_a_key_each_request_is_a_batch_of_its_own(staging: Staging, store: Any) -> None:
    keys = {staging.put(package(), receipt(NOON)) for _ in range(5)}
    assert len(keys) == 5
    assert staged(store) == sorted(keys)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=13), DAY - MOMENT])
def test_a_key_used_again_within_24_hours_is_the_same_batch(
    staging: Staging, store: Any, later: timedelta
) -> None:
    first = staging.put_once(package(), receipt(NOON), once())
    assert staging.put_once(package(), receipt(NOON + later), once()) == first
    assert staged(store) == [first]


def test_a_key_used_again_after_midnight_is_the_same_batch(staging: Staging, store: Any) -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    first = staging.put_once(package(), receipt(midnight - MOMENT), once())
    assert "/day=2026-11-23/" in first
    assert staging.put_once(package(), receipt(midnight), once()) == first
    assert staged(store) == [first]


def test_a_key_used_again_after_24_hours_is_a_new_batch_for_another_24(staging: Staging, store: Any) -> None:
    first = staging.put_once(package(), receipt(NOON), once())
    second = staging.put_once(package(3), receipt(NOON + DAY), once(body=b"other"))
    assert second != first
    assert staging.put_once(package(3), receipt(NOON + 2 * DAY - MOMENT), once(body=b"other")) == second
    assert staged(store) == sorted([first, second])


def test_two_who_find_a_key_too_old_around_midnight_stage_one_batch(
    staging: Staging, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    first = staging.put_once(package(), receipt(midnight - 2 * DAY), once())
    others: list[str] = []
    get = obstore.get

    def get_while_another_stages(*arguments: Any) -> Any:
        found = get(*arguments)
        if not others:
            others.append("under way")
            others[0] = staging.put_once(package(), receipt(midnight - MOMENT), once())
        return found

    monkeypatch.setattr(obstore, "get", get_while_another_stages)
    second = staging.put_once(package(), receipt(midnight), once())
    assert [second] == others
    assert staged(store) == sorted([first, second])


@pytest.mark.parametrize(
    ("rows", "body"), [(2, b"another body"), (3, b"body")], ids=["another-body", "another-count"]
)
def test_a_key_used_for_another_batch_is_refused(
    staging: Staging, store: Any, rows: int, body: bytes
) -> None:
    first = staging.put_once(package(), receipt(NOON), once())
    with pytest.raises(RefusalError) as refusal:
        staging.put_once(package(rows), receipt(NOON), once(body=body))
    assert (refusal.value.status, refusal.value.code) == (409, "idempotency_key_reused")
    assert staged(store) == [first]


def test_tenants_do_not_share_keys(staging: Staging, store: Any) -> None:
    keys = [staging.put_once(package(), receipt(NOON, tenant), once()) for tenant in ("acme", "globex")]
    assert staged(store) == sorted(keys)
    assert len(set(keys)) == 2


def test_an_attempt_that_died_after_its_mark_is_taken_up_by_the_next(staging: Staging, store: Any) -> None:
    first = staging.put_once(package(), receipt(NOON), once())
    obstore.delete(store, first)
    assert staging.put_once(package(), receipt(NOON + timedelta(minutes=1)), once()) == first
    assert staged(store) == [first]
