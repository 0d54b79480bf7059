"""A BYOC customer's quarantine is in their own bucket, and replayed objects are published to sync."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from obstore.store import MemoryStore

from functions.quarantine.byoc_documents import ByocQuarantine, as_http_errors
from functions.shared.buckets import customer
from functions.shared.buckets.contract import BucketRefusedError
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.byoc.buckets import NoDestinationError
from functions.shared.errors import HttpError
from functions.shared.events.staged_key import StagedKey, is_staged
from functions.shared.quarantine import QuarantineHeader, document_key, pack
from functions.shared.tenancy import TenantId
from tests.unit.shared.endless import bucket_that_answers, page

ACME, GLOBEX = TenantId("acme"), TenantId("globex")


class RecordingNotifier:
    def __init__(self) -> None:
        self.objects: list[tuple[str, str]] = []

    def notify(self, objects: Any, tenant: TenantId) -> int:
        self.objects += [(tenant, each.key) for each in objects]
        return 1


class Keeper:
    def __init__(self) -> None:
        self.buckets: dict[str, Any] = {
            str(tenant): PlatformBucket(MemoryStore()) for tenant in (ACME, GLOBEX)
        }
        self.forgotten: list[str] = []

    def bucket(self, tenant: TenantId) -> Any:
        if tenant not in self.buckets:
            raise NoDestinationError("none")
        return self.buckets[tenant]

    def evict(self, tenant: TenantId) -> None:
        self.forgotten.append(tenant)


@pytest.fixture
def keeper() -> Keeper:
    made = Keeper()
    for tenant in (ACME, GLOBEX):
        source = StagedKey(tenant, date(2026, 11, 23), f"of{tenant}", 9, 300, date(2099, 1, 1))
        header = QuarantineHeader(
            "refused", 27, str(source), "b", [4], 1, source.expires_on, datetime.now(UTC)
        )
        made.bucket(tenant).create(document_key(tenant, f"of{tenant}"), pack(header, [b'{"message":"x"}']))
    return made


def test_each_sees_and_replays_what_is_in_their_own_bucket(keeper: Keeper) -> None:
    reported = RecordingNotifier()
    own = ByocQuarantine(keeper, reported)  # type: ignore[arg-type]
    assert own.of(ACME).listed(ACME)[0] == ["ofacme"]
    assert own.of(ACME).listed(GLOBEX)[0] == []
    documents = own.of(ACME)
    assert documents.replay(ACME, documents.read(ACME, "ofacme"), date(2026, 11, 24)) == 1
    (staged,) = [each.key for each in keeper.bucket(ACME).under("staged/")]
    assert is_staged(staged)
    assert reported.objects == [("acme", staged)]
    assert list(keeper.bucket(GLOBEX).under("staged/")) == []


def test_a_bucket_that_rejects_us_is_for_the_customer_to_fix_and_is_read_again(keeper: Keeper) -> None:
    def refuse(_prefix: str) -> Any:
        raise BucketRefusedError("AccessDenied")

    keeper.buckets["acme"].under = refuse
    with pytest.raises(HttpError) as refusal:
        ByocQuarantine(keeper, RecordingNotifier()).of(ACME).listed(ACME)[0]  # type: ignore[arg-type]
    assert (refusal.value.status, refusal.value.code) == (503, "destination_unavailable")
    assert keeper.forgotten == ["acme"]


def test_without_a_destination_the_answer_says_what_to_do(keeper: Keeper) -> None:
    with pytest.raises(HttpError) as refusal, as_http_errors():
        ByocQuarantine(keeper, RecordingNotifier()).of(TenantId("newcomer"))  # type: ignore[arg-type]
    assert (refusal.value.status, refusal.value.code) == (403, "no_destination")


def test_a_bucket_that_lists_for_ever_is_said_to_its_owner_and_costs_no_other(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer, "MAX_LISTED_PAGES", 5)
    with bucket_that_answers(lambda _: [page()]) as (endless, _):
        keeper.buckets[ACME] = endless
        own = ByocQuarantine(keeper, RecordingNotifier())  # type: ignore[arg-type]
        with pytest.raises(HttpError) as refused:
            own.of(ACME).listed(ACME)
    assert (refused.value.status, refused.value.code) == (409, "listing_too_long")
    assert own.of(GLOBEX).listed(GLOBEX)[0] == ["ofglobex"]
    assert keeper.forgotten == []
