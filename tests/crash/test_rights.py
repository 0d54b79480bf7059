"""All data of an account, or of a person in its logs, is erased for good, and that of no other."""

from collections.abc import Iterator

import pytest
from obstore.store import MemoryStore

from functions.privacy.erasure.receipt import account_hash, checked, person_hash
from functions.privacy.erasure.subject import Subject
from functions.quarantine.documents import QuarantineStore
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.errors import HttpError
from functions.shared.events.staged_key import StagedKey
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.shared.warehouse import Warehouse
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.settle import Settler
from operate.console import Console
from operate.erasures import ErasureStores, repeat_erasures
from tests.crash.furnishing import ROW_LOCATIONS, furnished
from tests.crash.privacy_world import IN_PERSON, World, new_tenant, world_with_engine

EVERYWHERE = {
    "table people", "table keys", "table audit", "table announcements", "table notices", "table destinations",
    "table external-ids", "table health", "table saved-searches", "table search-budgets",
    "table search-exports", "table billing",
    "bucket staging/quarantine",
    "bucket staging/idempotency", "bucket exports/exports", "bucket drop/dropin", "bucket staging/uploads",
    "table uploads", "engine files", "sign-ins",
}  # fmt: skip
"""Where a text is that an account has everywhere."""

BY_ITS_ID_TOO = {
    "table accounts",
    "table key-lists",
    "table shards",
    "table exports",
    "table usage",
    "table ledger",
    "queue staged",
    "uploads of exports",
}


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world_with_engine() as made:
        yield made


@pytest.fixture(scope="module")
def own_warehouse(here: World) -> Warehouse:
    """A customer's own; the same engine is behind it."""
    assert here.room
    warehouse = here.room.database("own")
    warehouse.command("SYSTEM START MERGES events")
    return warehouse


def test_the_text_is_found_everywhere_before_so_that_not_finding_it_says_something(here: World) -> None:
    tenant, mark = furnished(here)
    found = here.where(mark, str(tenant))
    here.drain()

    assert found[mark] == EVERYWHERE
    assert found[str(tenant)] - {"engine files"} == (EVERYWHERE | BY_ITS_ID_TOO) - {
        "sign-ins",
        "engine files",
    }


def test_an_account_leaves_nothing_but_its_receipt_and_a_neighbour_loses_nothing(
    here: World, neighbour: TenantId
) -> None:
    tenant, mark = furnished(here)
    rows, theirs = here.hash_of(neighbour), here.items_of(neighbour)
    erasure = here.ask_for_account(tenant)
    here.erase(erasure)
    here.drain()

    found = here.where(mark, str(tenant), erasure.erasure_id)
    assert found == {mark: set(), str(tenant): {"table ledger"}, erasure.erasure_id: set()}
    assert (here.hash_of(neighbour), here.items_of(neighbour)) == (rows, theirs)
    receipt = here.receipt_of(erasure)
    assert receipt.account == account_hash(erasure.erasure_id, tenant)
    assert receipt.person is None
    assert receipt.counts == {
        "accounts": 1, "announcements": 1, "archives": 3, "audit": 5, "billing": 2, "destinations": 1,
        "exports": 1, "external-ids": 1, "health": 7, "idempotency_marks": 1, "key-lists": 2, "keys": 2,
        "mentions": 1, "notices": 3, "people": 1, "quarantined": 1, "rows": 5,
        "saved-searches": 1, "search-budgets": 1, "search-exports": 4, "sign_ins": 1,
        "checkpoints": 1, "dropped_files": 1, "suppressions": 1, "uploads": 2, "usage": 1,
    }  # fmt: skip


def test_a_person_is_erased_and_all_others_stay(here: World, neighbour: TenantId) -> None:
    """Also the archive that held them goes, and the text of the mutation that looked for them."""
    tenant, mark = furnished(here)
    _, other = new_tenant()
    here.deliver(here.stage(tenant, [here.row(tenant, f"of {other}", {"user_id": other})]))
    rows, theirs, before = here.hash_of(neighbour), here.items_of(neighbour), here.where(mark)[mark]
    here.drain()
    erasure = here.ask_for_person(tenant, "message", mark)
    here.erase(erasure)

    assert here.where(mark)[mark] == before - ROW_LOCATIONS
    assert here.rows_of(tenant) == 1
    assert here.where(other)[other] == {"engine files"}
    assert (here.hash_of(neighbour), here.items_of(neighbour)) == (rows, theirs)
    receipt = here.receipt_of(erasure)
    assert receipt.counts == {
        "archives": 1, "checkpoints": 1, "quarantined": 1, "rows": 5, "search_exports": 2, "uploads": 1,
    }  # fmt: skip
    assert receipt.person == person_hash(erasure.erasure_id, Subject(tenant, "message", mark))
    shown = here.service.erasure(tenant, erasure.erasure_id)
    assert (shown.state, shown.subject, shown.progress.pending) == ("verified", None, {})


def test_what_is_delivered_sent_again_or_replayed_afterwards_brings_nothing_back(
    here: World, neighbour: TenantId
) -> None:
    """The message of what was loaded; the same object again; another one; a replay's."""
    tenant, mark = furnished(here)
    loaded = here.uploads[tenant]
    here.erase(here.ask_for_account(tenant))
    assert here.deliver(loaded) == {loaded.key}
    again = here.stage(tenant, [here.row(tenant, f"again {mark}")], StagedKey.parse(loaded.key).object_id)
    late = here.stage(tenant, [here.row(tenant, f"late {mark}")])
    replayed = here.stage(tenant, [here.row(tenant, f"replayed {mark}")], "q1p")
    theirs = here.stage(neighbour, [here.row(neighbour, "theirs")])
    before = here.rows_of(neighbour)

    assert here.deliver(again, late, replayed, theirs, loaded) == {
        each.key for each in (again, late, replayed, theirs, loaded)
    }
    assert here.rows_of(tenant) == 0
    assert here.rows_of(neighbour) == before + 1
    assert list(here.staging.under(f"staged/v1/tenant={tenant}/")) == []
    with pytest.raises(HttpError):
        QuarantineStore(here.staging).read(tenant, "q1")
    here.drain()
    assert here.where(mark)[mark] == set()


def test_what_was_let_in_while_the_account_stopped_is_found_by_a_later_round(here: World) -> None:
    """A request under a verdict that was remembered, an upload, a note of a scheduled function."""
    tenant, mark = furnished(here)
    erasure = here.ask_for_account(tenant)
    here.now = erasure.starts_at + 1
    here.eraser.run()
    here.close_at_billing()
    here.eraser.run()
    claimed = here.stage(tenant, [here.row(tenant, f"late {mark}")])
    here.tombstones_unknown().deliver(claimed)
    here.announcements.publish(tenant, f"late-{mark}", "news", f"Late {mark}", "text")
    here.notices.put(tenant, f"late-{mark}", "news", f"Late {mark}", "text")
    assert here.rows_of(tenant) == 1
    here.erase(erasure)
    here.drain()

    assert here.where(mark, str(tenant)) == {mark: set(), str(tenant): {"table ledger"}}
    assert here.receipt_of(erasure).counts["rows"] == 6


def test_an_erasure_of_an_account_can_be_taken_back_for_seven_days_and_nothing_is_missing(
    here: World,
) -> None:
    tenant, _ = furnished(here)
    before, rows = here.where(str(tenant)), here.hash_of(tenant)
    erasure = here.ask_for_account(tenant)
    here.eraser.run()
    account = here.directory.account(tenant)
    assert account is not None
    assert (account.closes_at, account.refusal(here.now)) == (erasure.starts_at, "account_closing")
    assert erasure.starts_at - here.now >= 7 * 86_400
    here.now = erasure.starts_at - 1
    here.eraser.run()
    here.service.cancel(tenant, erasure.erasure_id, IN_PERSON)
    here.later(days=8)
    here.eraser.run()
    here.drain()
    account = here.directory.account(tenant)
    assert account is not None

    assert (account.closes_at, account.refusal(here.now)) == (None, "")
    assert {place for place in before[str(tenant)] if place != "queue staged"} <= here.where(str(tenant))[
        str(tenant)
    ]
    assert here.hash_of(tenant) == rows
    actions = [each["action"] for each in here.audit.page(tenant, 100).entries]
    assert {"account.erasure_requested", "erasure.cancelled"} < set(actions)
    status = here.service.status(erasure.erasure_id)
    assert status
    assert status.state == "cancelled"


def test_once_it_has_begun_it_cannot_be_taken_back(here: World) -> None:
    tenant, _ = furnished(here)
    erasure = here.ask_for_account(tenant)
    here.now = erasure.starts_at + 1
    here.eraser.run()

    for _ in range(2):
        with pytest.raises(HttpError) as refused:
            here.service.cancel(tenant, erasure.erasure_id, IN_PERSON)
        assert refused.value.code == "not_cancellable"
    here.erase(erasure)
    with pytest.raises(HttpError) as refused:
        here.service.cancel(tenant, erasure.erasure_id, IN_PERSON)
    assert refused.value.code == "not_found"


def test_from_its_first_minute_no_key_and_no_session_opens_anything(here: World) -> None:
    """While billing still has to close it."""
    tenant, _ = furnished(here)
    erasure = here.ask_for_account(tenant)
    here.now = erasure.starts_at + 1
    assert here.directory.account(tenant)
    here.eraser.run()

    assert here.directory.account(tenant) is None
    assert here.shards.get(tenant) is None
    item = here.aws.dynamodb.get_item(TableName="accounts", Key={"tenant_id": {"S": tenant}})["Item"]
    assert item["closed"] == {"BOOL": True}


def test_it_waits_for_billing_and_keeps_what_billing_needs_until_then(here: World) -> None:
    tenant, mark = furnished(here)
    erasure = here.ask_for_account(tenant)
    here.now = erasure.starts_at + 1
    for _ in range(4):
        here.eraser.run()
        here.engine_clears_up()
        here.later(hours=4)
    result = here.service.erasure(tenant, erasure.erasure_id)

    assert set(result.progress.waits_for.values()) == {"billing"}
    assert here.where(str(tenant))[str(tenant)] >= {"table billing", "table accounts", "table erasures"}
    assert here.where(mark)[mark] == {"table billing"}
    assert here.eraser.run()["oldest_seconds"] >= 10 * 3600
    here.later(days=31)
    assert here.eraser.run()["overdue"] >= 1
    here.erase(erasure)
    here.drain()
    assert here.where(mark)[mark] == set()


def test_it_is_not_called_verified_before_the_last_thing_that_could_arrive_has(here: World) -> None:
    tenant, _ = furnished(here)
    erasure = here.ask_for_account(tenant)
    here.now = began = float(erasure.starts_at + 1)
    while here.now < began + 2 * 3600 - 1:
        here.eraser.run()
        here.close_at_billing()
        assert here.service.erasure(tenant, erasure.erasure_id).state == "running"
        here.later(minutes=19)
    here.erase(erasure)


def test_an_object_that_is_not_loaded_for_hours_is_deleted_where_it_is_staged(here: World) -> None:
    tenant, mark = furnished(here)
    erasure = here.ask_for_account(tenant)
    here.now = erasure.starts_at + 1
    here.stage(tenant, [here.row(tenant, f"stuck {mark}")])
    for _ in range(2):
        here.eraser.run()
        here.later(hours=2.9)
    assert "bucket staging/staged" in here.where(mark)[mark]
    here.later(hours=1)
    here.erase(erasure)

    assert list(here.staging.under(f"staged/v1/tenant={tenant}/")) == []
    assert here.receipt_of(erasure).counts["staged"] == 1


def test_a_person_is_waited_for_while_anything_is_staged_and_no_object_is_deleted(here: World) -> None:
    tenant, mark = furnished(here)
    here.drain()
    waits = here.stage(tenant, [here.row(tenant, f"of {mark}"), here.row(tenant, "of another person")])
    erasure = here.ask_for_person(tenant, "message", mark)
    for _ in range(5):
        here.eraser.run()
        here.later(hours=3)
    assert here.service.erasure(tenant, erasure.erasure_id).progress.waits_for["rows"] == "staged"
    here.deliver(waits)
    here.erase(erasure)

    assert here.rows_of(tenant) == 1
    assert here.where(mark)[mark].isdisjoint(ROW_LOCATIONS)


def test_rows_of_a_file_that_was_still_to_be_read_go_too_whenever_they_are_received(here: World) -> None:
    tenant, mark = furnished(here)
    here.drain()
    key = f"{dropin_prefix(tenant)}u/waits.txt"
    here.aws.s3.put_object(Bucket="drop", Key=key, Body=f"line of {mark}".encode())
    erasure = here.ask_for_person(tenant, "message", mark)
    for _ in range(3):
        here.eraser.run()
        here.later(minutes=30)
    assert "uploads" in here.service.erasure(tenant, erasure.erasure_id).progress.waits_for.values()
    here.drop(tenant, "waits.txt", f"line of {mark}".encode(), "done")
    here.deliver(here.stage(tenant, [here.row(tenant, f"line of {mark}"), here.row(tenant, "another")]))
    here.aws.s3.delete_object(Bucket="drop", Key=key)
    here.erase(erasure)

    assert here.rows_of(tenant) == 1
    assert here.where(mark)[mark].isdisjoint(ROW_LOCATIONS)


def test_rows_of_a_file_that_was_read_and_deleted_before_the_first_look_are_erased(here: World) -> None:
    """It was put in before, and seen after; the request of another person's line comes later still."""
    tenant, mark = furnished(here)
    here.drain()
    erasure = here.ask_for_person(tenant, "message", mark)
    here.later(seconds=20)
    here.drop(tenant, "quick.txt", f"line of {mark}".encode(), "done")
    here.deliver(here.stage(tenant, [here.row(tenant, f"line of {mark}")]))
    here.aws.s3.delete_object(Bucket="drop", Key=f"{dropin_prefix(tenant)}u/quick.txt")
    here.later(seconds=100)
    here.deliver(here.stage(tenant, [here.row(tenant, f"anew of {mark}")]))
    here.erase(erasure)

    assert here.rows_of(tenant) == 1
    assert here.receipt_of(erasure).counts["rows"] == 6


def test_a_file_that_is_never_read_is_deleted_before_the_deadline(here: World) -> None:
    tenant, mark = furnished(here)
    here.drain()
    here.aws.s3.put_object(Bucket="drop", Key=f"{dropin_prefix(tenant)}folder/", Body=mark.encode())
    erasure = here.ask_for_person(tenant, "message", mark)
    for _ in range(2):
        here.eraser.run()
        here.later(days=9)
    assert "bucket drop/dropin" in here.where(mark)[mark]
    here.later(days=3)
    here.erase(erasure)

    assert here.where(mark)[mark].isdisjoint(ROW_LOCATIONS)


def test_a_person_in_a_byoc_destination_is_erased_there_and_the_erasure_waits_for_an_outage(
    here: World, own_warehouse: Warehouse
) -> None:
    tenant, mark = new_tenant("byoc")
    bucket = PlatformBucket(MemoryStore())
    here.own[tenant] = (bucket, own_warehouse)
    driver = BatchProcessor(here.ledger, StagingBucket(bucket), EventsTable(own_warehouse))
    staged = here.stage(tenant, [here.row(tenant, f"of {mark}"), here.row(tenant, "of another person")])
    body = here.staging.get(staged.key)
    assert body
    here.staging.delete([staged.key])
    etag = bucket.create(staged.key, bytes(body.body))
    assert etag
    theirs = StagedObject(staged.key, etag, staged.size_bytes)
    Settler(here.ledger, driver, f"byoc:{tenant}").settle([theirs], Deadline(lambda: 60.0, 30.0))
    here.own_away = True
    erasure = here.ask_for_person(tenant, "message", mark, plan="byoc")
    for _ in range(5):
        here.byoc_eraser.run()
        here.later(hours=1)
    assert "destination" in here.service.erasure(tenant, erasure.erasure_id).progress.waits_for.values()
    assert here.service.erasure(tenant, erasure.erasure_id).state == "running"
    here.own_away = False
    here.erase(erasure)
    result = own_warehouse.select("SELECT message FROM events WHERE tenant_id = {t:String}", {"t": tenant})

    assert [each["message"] for each in result.rows] == ["of another person"]
    assert here.receipt_of(erasure).counts == {"own_rows": 1}


def test_of_a_destination_that_was_taken_away_there_is_nothing_to_erase(here: World) -> None:
    tenant, mark = new_tenant("byoc")
    erasure = here.ask_for_person(tenant, "message", mark, plan="byoc")
    here.erase(erasure)

    assert here.receipt_of(erasure).counts == {}


def test_what_a_backup_brought_back_is_erased_again_though_the_account_itself_is_not_back(
    here: World,
) -> None:
    """Its people and its billing record, which billing could close only with the account."""
    tenant, mark = furnished(here)
    dynamodb, lost = here.aws.dynamodb, ("people", "billing")
    backup = {
        table: [each for each in dynamodb.scan(TableName=table)["Items"] if tenant in repr(each)]
        for table in lost
    }
    here.erase(here.ask_for_account(tenant))
    for table, items in backup.items():
        for item in items:
            dynamodb.put_item(TableName=table, Item=item)
    here.drain()
    stores = ErasureStores(
        here.service.erasures, here.service.receipts, here.tombstones, here.tables, lambda: here.now
    )
    repeat_erasures(stores, Console(assume_yes=True))
    (again,) = here.service.erasures.all(tenant)
    here.erase(again)

    assert here.where(mark, str(tenant)) == {mark: set(), str(tenant): {"table ledger"}}
    assert here.receipt_of(again).counts == {"billing": 2, "people": 1}


def test_the_receipts_of_all_these_are_one_chain(here: World) -> None:
    receipts = list(here.service.receipts.all())
    number, last = here.service.receipts.head()

    assert number == len(receipts) > 2
    assert checked(receipts) == last
