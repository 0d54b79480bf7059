"""A data export: complete against what is stored, whichever step a run dies at, and of one account only."""

import csv
import hashlib
import io
import json
import random
import zipfile
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from functions.privacy.data_inventory import DATA_INVENTORY
from functions.privacy.export.logs import NANOSECONDS, LogPosition, Logs, OldPositionError
from functions.privacy.export.logs import LogPeriod as LogPeriod
from functions.privacy.export.record import Export
from functions.privacy.exporter import ABANDONED_AFTER_SECONDS, PATIENCE_SECONDS
from functions.privacy.forms import RequestedPeriod
from functions.privacy.inventory_entry import InventoryEntry
from functions.privacy.responses import export_response
from functions.privacy.service import EXPORTS_A_DAY
from functions.shared.errors import HttpError
from functions.shared.exports.archives import LINK_SECONDS
from functions.shared.quarantine import QuarantineHeader, document_key, pack
from functions.shared.tenancy import TenantId
from tests.crash.faults import Crash
from tests.crash.furnishing import furnish
from tests.crash.privacy_world import IN_PERSON, World, new_tenant, world_with_engine
from tests.crash.search_exporting import identified
from tests.crash.traps import Trap

MANY = 40_000
"""A seventh of them are of one instant: more than a page of the export holds."""
SOME = 8_000
"""With NOISE of bytes each that cannot be compressed, more than one part of an upload."""

NOISE = 1050


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world_with_engine() as made:
        yield made


def store(here: World, tenant: TenantId, count: int, noise: int = 60) -> None:
    """`count` events over some days: many at one instant, some of them equal, of all kinds of metadata."""
    chance = random.Random(count)
    metadata: list[Any] = [{}, {"n": 1.50}, {"n": "1.5"}, {"a": [1, None, {"b": "ä\n"}]}, {"user_id": "=1+1"}]
    began = here.now - 3 * 86_400
    for start in range(0, count, 20_000):
        rows = [
            here.row(
                tenant,
                "same" if number % 10 == 0 else f"{number} {b64encode(chance.randbytes(noise)).decode()}",
                metadata[number % len(metadata)],
                began + (0 if number % 7 == 0 else number * 2),
            )
            for number in range(start, min(count, start + 20_000))
        ]
        assert here.deliver(here.stage(tenant, rows))


def all_logs(here: World) -> RequestedPeriod:
    return RequestedPeriod(0, int(here.now) + 10 * 86_400)


def stored(here: World, tenant: TenantId) -> Counter[str]:
    """What the database has, by a query of its own."""
    rows = here.warehouse.select(
        "SELECT formatDateTime(timestamp, '%Y-%m-%dT%H:%i:%S', 'UTC') AS second, message, metadata, "
        "count() AS rows FROM events WHERE tenant_id = {tenant:String} GROUP BY ALL",
        {"tenant": str(tenant)},
    ).rows
    return Counter(
        {
            json.dumps([row["second"], row["message"], json.loads(row["metadata"])]): int(row["rows"])
            for row in rows
        }
    )


def copied(archive: zipfile.ZipFile) -> Counter[str]:
    events = (json.loads(line) for line in lines_of(archive, "logs/events-"))
    return Counter(json.dumps([each["timestamp"][:19], each["message"], each["metadata"]]) for each in events)


def lines_of(archive: zipfile.ZipFile, prefix: str) -> Iterator[bytes]:
    for name in sorted(archive.namelist()):
        if name.startswith(prefix) and name.endswith(".ndjson"):
            yield from archive.read(name).splitlines()


def check(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Every file but the manifest is in it, with the right checksum, size and number of records."""
    assert archive.testzip() is None
    manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    listed = {each["name"]: each for each in manifest["files"]}
    assert set(listed) == set(archive.namelist()) - {"manifest.json"}
    for name, entry in listed.items():
        content = archive.read(name)
        assert (entry["sha256"], entry["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
        if name.endswith(".ndjson"):
            assert entry["records"] == content.count(b"\n")
            [json.loads(line) for line in content.splitlines()]
        elif name.endswith(".csv"):
            table = list(csv.reader(io.StringIO(content.decode(), newline="")))
            assert entry["records"] == max(len(table) - 1, 0)
    return manifest


@pytest.mark.parametrize("rows", [MANY, pytest.param(100_000, marks=pytest.mark.soak)])
def test_a_copy_of_an_account_with_very_many_events_is_complete(here: World, rows: int) -> None:
    tenant, mark = new_tenant()
    other, others_mark = new_tenant()
    furnish(here, tenant, mark)
    furnish(here, other, others_mark)
    store(here, tenant, rows)
    export = here.make_copy(tenant, all_logs(here))
    archive = here.archive_of(export)
    manifest = check(archive)

    assert manifest["records"]["logs/events"] == rows + 5
    assert copied(archive) == stored(here, tenant)
    assert manifest["records"]["logs/quarantined"] == 2
    assert manifest["logs"]["staged_objects_not_included"] == 0
    content = b"\0".join(archive.read(name) for name in archive.namelist())
    assert others_mark.encode() not in content
    assert str(other).encode() not in content
    assert here.service.exports.parts(export) == []


def test_an_export_in_the_week_after_a_move_to_byoc_has_the_rows_that_are_still_ours(here: World) -> None:
    (tenant, mark), (other, others_mark) = new_tenant(), new_tenant()
    furnish(here, tenant, mark)
    furnish(here, other, others_mark)
    store(here, tenant, 200)
    store(here, other, 100)
    mover = here.caller(tenant, "byoc", here.now + 7 * 86_400)
    archive = here.archive_of(here.make_copy(tenant, all_logs(here), mover))
    manifest = check(archive)

    assert manifest["records"]["logs/events"] == 200 + 5
    assert copied(archive) == stored(here, tenant)
    assert manifest["records"]["logs/quarantined"] == 2
    content = b"\0".join(archive.read(name) for name in archive.namelist())
    assert others_mark.encode() not in content
    here.now += 7 * 86_400
    with pytest.raises(HttpError) as reported:
        here.service.request_export(mover, all_logs(here), IN_PERSON)
    assert reported.value.code == "logs_not_held"


def _inventory(table: str) -> InventoryEntry:
    return next(each for each in DATA_INVENTORY if each.table == table)


def test_rows_that_an_open_erasure_is_about_are_in_no_copy_and_later_ones_are(here: World) -> None:
    """Stored or quarantined, and also where the engine's parser fails. Another account's copy has its own."""
    (tenant, mark), (other, others_mark) = new_tenant(), new_tenant()
    furnish(here, tenant, mark)
    furnish(here, other, others_mark)
    for each in (tenant, other):
        rows = [here.row(each, "m", {"email": "jane"}), here.row(each, "bystander")]
        hostile = here.row(each, "m", {"email": "jane"}).replace(b'"jane"', b'"jane", "n": 1e999')
        assert here.deliver(here.stage(each, [*rows, hostile]))
        header = QuarantineHeader(
            "r", 27, "s", "b", [0, 1], 2, date(2030, 1, 1), datetime.fromtimestamp(here.now, UTC)
        )
        here.staging.create(document_key(each, "jane0"), pack(header, [row.strip() for row in rows]))
    here.now += 60
    here.ask_for_person(tenant, "metadata.email", "jane")
    here.now += 60
    assert here.deliver(here.stage(tenant, [here.row(tenant, "later", {"email": "jane"})]))
    here.now += 60
    mine, theirs = (here.archive_of(here.make_copy(each, all_logs(here))) for each in (tenant, other))
    check(mine)

    shown = [line for line in lines_of(mine, "logs/") if b"jane" in line]
    assert [json.loads(line)["message"] for line in shown] == ["later"]
    assert sum(b"bystander" in line for line in lines_of(mine, "logs/")) == 2
    assert sum(b"jane" in line for line in lines_of(theirs, "logs/")) == 3


@pytest.mark.parametrize("rows_a_page", [1, 3, 7])
def test_pages_of_equal_rows_neither_skip_nor_repeat_one(here: World, rows_a_page: int) -> None:
    """Twenty that are the same, over several batches, between others; and years with nothing."""
    tenant, _ = new_tenant()
    long_ago = here.now - 5 * 365 * 86_400
    for _ in range(2):
        same = [here.row(tenant, "same", instant=long_ago)] * 10
        others = [here.row(tenant, f"other {n}", instant=long_ago + n - 2) for n in range(5)]
        assert here.deliver(here.stage(tenant, [*same, *others]))
    assert here.deliver(here.stage(tenant, [here.row(tenant, "now")]))
    whole = Logs(
        here.warehouse,
        tenant,
        LogPeriod(0, int(here.now + 99) * NANOSECONDS, int(here.now + 99) * 1_000_000),
        rows_a_page,
    )
    position, found, pages = None, [], 0
    while True:
        page = whole.page(position)
        found += [json.loads(line)["message"] for line in page.lines]
        pages += 1
        if page.after is None:
            break
        position = LogPosition.from_json(page.after.to_json())

    assert Counter(found) == Counter({"same": 20, "now": 1, **{f"other {n}": 2 for n in range(5)}})
    assert pages < 60


def test_events_of_one_instant_are_in_a_copy_as_they_were_sent(here: World) -> None:
    """Of two objects, each a batch of its own, read in pages that end within them; and another account's."""
    (tenant, _), (other, _) = new_tenant(), new_tenant()
    sent = []
    for number in range(2):
        messages = [f"{number} {line}" for line in range(1_000)]
        for each in (tenant, other):
            rows = [here.row(each, f"{each} {message}", instant=here.now) for message in messages]
            assert here.deliver(here.stage(each, identified(rows)))
        sent += [f"{tenant} {message}" for message in messages]
    period = LogPeriod(0, int(here.now + 99) * NANOSECONDS, int(here.now + 99) * 1_000_000)
    logs, position, found = Logs(here.warehouse, tenant, period, 300), None, []
    while True:
        page = logs.page(position)
        found += [json.loads(line)["message"] for line in page.lines]
        if page.after is None:
            break
        position = LogPosition.from_json(page.after.to_json())

    assert found == sent


def test_a_position_of_the_former_order_is_not_continued_in_this_one() -> None:
    former = json.dumps({"instant": 1, "batch_id": "b", "row_hash": 2, "given": 1, "window": 9})
    with pytest.raises(OldPositionError):
        LogPosition.from_json(former)


def test_a_copy_holds_all_that_the_inventory_shows_and_nothing_that_it_withholds(here: World) -> None:
    """Each attribute of each item is on one of its table's two lists."""
    tenant, mark = new_tenant()
    furnish(here, tenant, mark)
    nobody = f"nobody-{mark[::-1]}"
    here.ask_for_person(tenant, "message", nobody)
    here.ask_for_account(tenant)
    archive = here.archive_of(here.make_copy(tenant, None))
    check(archive)
    for holding in DATA_INVENTORY:
        items = list(here.tables.items(holding, tenant))
        assert items, holding.table
        shown = set(holding.shows) | set(holding.withholds)
        assert {name for item in items for name in item} <= shown, holding.table
        if holding.file:
            records = [json.loads(each) for each in lines_of(archive, f"account/{holding.file}-0")]
            assert len(records) >= 1, holding.table
    content = b"\0".join(archive.read(name) for name in archive.namelist())
    # Whom an erasure is about is forgotten with its end, and the copy may outlive it.
    for secret in (f"secret-{mark}", here.shards.get(tenant).reveal(), nobody):
        assert secret.encode() not in content
    assert mark.encode() in archive.read("account/people-0001.csv")
    assert json.loads(archive.read("account/sign-in-0001.ndjson"))["email"] == f"{mark}@example.org"
    assert not [name for name in archive.namelist() if name.startswith("logs/")]


def test_no_cell_of_a_copy_is_a_formula(here: World) -> None:
    """Of two keys one has a name that a spreadsheet would run; the NDJSON has it as it is."""
    tenant, mark = new_tenant()
    furnish(here, tenant, mark)
    archive = here.archive_of(here.make_copy(tenant, None))
    names = sorted(json.loads(each)["name"] for each in lines_of(archive, "account/keys-"))

    assert names == sorted([mark, f"=cmd|{mark}"])
    for name in archive.namelist():
        if name.endswith(".csv"):
            rows = csv.reader(io.StringIO(archive.read(name).decode(), newline=""))
            assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert f"'=cmd|{mark}".encode() in archive.read("account/keys-0001.csv")


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 20))])
def test_a_copy_whose_makers_die_is_the_one_that_was_asked_for(here: World, seed: int) -> None:
    """They die at any write, before or after it took place, or are out of time; two at once do no harm."""
    tenant, mark = new_tenant()
    chance = random.Random(seed)
    furnish(here, tenant, mark)
    store(here, tenant, SOME, NOISE)
    export = here.service.request_export(here.caller(tenant), all_logs(here), IN_PERSON)
    here.later(seconds=2)
    died = 0
    for _ in range(200):
        here.trap = Trap(chance.randint(1, 4), chance.random() < 0.5)
        left = Pieces(chance.randint(1, 30))
        try:
            here.exporter_with(left).run()
            here.exporter_with(Pieces(10)).run()
        except Crash:
            died += 1
        here.trap = Trap()
        here.later(minutes=6)
        if here.service.get_export(tenant, export.export_id).state == "ready":
            break
    archive = here.archive_of(export)
    check(archive)

    assert died > 2
    assert copied(archive) == stored(here, tenant)
    uploads = here.aws.s3.list_multipart_uploads(Bucket="exports").get("Uploads", [])
    assert [each for each in uploads if each["Key"] == export.object_key] == []


class Pieces:
    """A run that has time for so many pieces."""

    def __init__(self, pieces: int) -> None:
        self._pieces = pieces

    def __call__(self) -> float:
        self._pieces -= 1
        return 300.0 if self._pieces > 0 else 1.0


def test_a_link_ends_after_an_hour_and_is_a_new_one_each_time(here: World) -> None:
    """moto's S3 does not look at the time a link ends; what is signed into it is what S3 looks at."""
    tenant, mark = new_tenant()
    furnish(here, tenant, mark)
    export = here.make_copy(tenant, None)
    links = [here.service.link(export, IN_PERSON) for _ in range(2)]
    signed = parse_qs(urlsplit(links[0]).query)

    assert LINK_SECONDS == 3600
    assert signed["X-Amz-Expires"] == ["3600"]
    assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert {"X-Amz-Signature", "X-Amz-Date"} < set(signed)
    assert unquote(urlsplit(links[0]).path).endswith(export.object_key)
    shown = export_response(export, here.now, links[1])
    assert shown["url"] == links[1]
    actions = [each["action"] for each in here.audit.page(tenant, 100).entries]
    assert actions.count("export.link_made") == 2


def test_after_seven_days_there_is_no_link_any_more(here: World) -> None:
    tenant, mark = new_tenant()
    furnish(here, tenant, mark)
    export = here.make_copy(tenant, None)
    here.later(days=7)

    assert here.service.link(export, IN_PERSON) is None
    assert export_response(export, here.now)["state"] == "expired"


def test_one_copy_is_made_at_a_time_and_few_a_day(here: World) -> None:
    tenant, mark = new_tenant()
    furnish(here, tenant, mark)
    here.later(days=2)
    for number in range(EXPORTS_A_DAY):
        here.make_copy(tenant, None)
        assert len(here.service.list_exports(tenant)) == number + 2
    with pytest.raises(HttpError) as refused:
        here.service.request_export(here.caller(tenant), None, IN_PERSON)
    assert (refused.value.status, refused.value.code) == (429, "too_many_exports")
    here.later(days=1)
    here.service.request_export(here.caller(tenant), None, IN_PERSON)
    with pytest.raises(HttpError) as refused:
        here.service.request_export(here.caller(tenant), None, IN_PERSON)
    assert refused.value.code == "export_in_progress"


def test_what_is_staged_when_it_is_asked_for_is_in_it_once_it_is_loaded(here: World) -> None:
    tenant, mark = new_tenant()
    furnish(here, tenant, mark)
    here.later(seconds=1)
    waits = here.stage(tenant, [here.row(tenant, "on its way")])
    export = here.service.request_export(here.caller(tenant), all_logs(here), IN_PERSON)
    here.later(minutes=2)
    assert here.exporter.run()["open"] >= 1
    assert here.service.get_export(tenant, export.export_id).progress.parts == 0
    here.deliver(waits)
    here.exporter.run()

    assert b"on its way" in b"".join(lines_of(here.archive_of(export), "logs/events-"))


def test_the_manifest_lists_objects_that_stay_staged_for_long(here: World) -> None:
    tenant, mark = new_tenant()
    furnish(here, tenant, mark)
    here.later(seconds=1)
    here.stage(tenant, [here.row(tenant, "stuck")])
    export = here.service.request_export(here.caller(tenant), all_logs(here), IN_PERSON)
    here.later(seconds=PATIENCE_SECONDS + 2)
    here.exporter.run()

    assert check(here.archive_of(export))["logs"]["staged_objects_not_included"] == 1


def test_what_arrives_while_a_copy_is_made_is_not_in_it(here: World) -> None:
    """So that no page of it moves."""
    tenant, mark = new_tenant()
    furnish(here, tenant, mark)
    export = here.service.request_export(here.caller(tenant), all_logs(here), IN_PERSON)
    here.later(seconds=5)
    here.deliver(here.stage(tenant, [here.row(tenant, "later")]))
    here.later(seconds=60)
    here.exporter.run()

    assert here.service.get_export(tenant, export.export_id).state == "ready"
    assert b"later" not in b"".join(lines_of(here.archive_of(export), "logs/events-"))


def test_a_copy_that_is_being_made_when_a_person_is_erased_begins_anew_without_them(here: World) -> None:
    tenant, mark = new_tenant()
    furnish(here, tenant, mark)
    store(here, tenant, SOME, NOISE)
    export = here.service.request_export(here.caller(tenant), all_logs(here), IN_PERSON)
    here.later(seconds=2)
    for pieces in range(12, 30):
        here.exporter_with(Pieces(pieces)).run()
        begun = here.service.get_export(tenant, export.export_id)
        if begun.progress.parts:
            break
    assert begun.open
    here.later(minutes=6)
    here.erase(here.ask_for_person(tenant, "message", mark))
    here.later(minutes=6)
    here.exporter.run()
    done = here.service.get_export(tenant, export.export_id)

    assert done.state == "ready"
    assert done.began_at > begun.began_at
    archive = here.archive_of(export)
    check(archive)
    assert mark.encode() not in b"".join(lines_of(archive, "logs/"))
    assert copied(archive) == stored(here, tenant)


def test_an_export_that_fails_for_a_day_is_abandoned_and_another_can_start(here: World) -> None:
    (tenant, mark), (other, others_mark) = new_tenant(), new_tenant()
    furnish(here, tenant, mark)
    furnish(here, other, others_mark)
    export = here.service.request_export(here.caller(tenant), None, IN_PERSON)
    here.later(seconds=ABANDONED_AFTER_SECONDS + 2)

    assert here.exporter.run()["failed"] >= 1
    assert here.service.get_export(tenant, export.export_id).state == "failed"
    assert not here.service.exports.due()
    here.exporter.run()
    kinds = [item["kind"] for item in here.tables.items(_inventory("notices"), tenant)]
    assert kinds.count("export_failed") == 1
    assert "export_failed" not in str(list(here.tables.items(_inventory("notices"), other)))
    assert isinstance(here.service.request_export(here.caller(tenant), None, IN_PERSON), Export)
