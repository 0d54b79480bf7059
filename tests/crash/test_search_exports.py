"""An export of search results: equal to what is stored, whichever step a run dies at, and of one account."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from functions.query.errors import budget_exceeded
from functions.query.exporting.service import EXPORTS_A_DAY
from functions.query.limits.row_meter import RowMeter
from functions.query.search_exporter import TURN_SECONDS
from functions.shared.access import Principal
from functions.shared.errors import HttpError
from functions.shared.exports.archives import Archives, NoUploadError
from functions.shared.exports.cells import safe
from functions.shared.exports.search_export import ABANDONED_AFTER_SECONDS, KEPT_SECONDS
from functions.shared.tenancy import TenantId
from tests.crash.faults import Crash
from tests.crash.privacy_world import Trap, World, new_tenant, world_with_engine
from tests.crash.search_exporting import LIMITS, Exporting, byoc_stores, expected_rows, identified, store
from tests.crash.test_exports import Pieces

SOME = 10_200


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world_with_engine() as made:
        yield made


@pytest.fixture
def exporting(here: World) -> Exporting:
    return Exporting(here)


@pytest.fixture(scope="module")
def tenants(here: World) -> tuple[TenantId, TenantId]:
    """Two accounts with events of the same shape."""
    made = new_tenant()[0], new_tenant()[0]
    for tenant, count in zip(made, (SOME, 500), strict=True):
        store(here, tenant, count)
    here.later(seconds=2)
    return made


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("file_format", ["ndjson", "csv", "parquet"])
def test_a_file_has_the_events_of_its_tenant_in_exact_order(
    exporting: Exporting, tenants: tuple[TenantId, TenantId], file_format: str, compression: str
) -> None:
    for tenant in tenants:
        export = exporting.make(tenant, format=file_format, compression=compression)
        expected = expected_rows(exporting.world, tenant)
        assert exporting.rows(export) == expected
        assert export.progress.rows == len(expected)


@pytest.mark.parametrize("file_format", ["ndjson", "csv", "parquet"])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 8))])
def test_a_file_whose_writers_die_at_any_write_is_the_one_that_was_asked_for(
    exporting: Exporting, tenants: tuple[TenantId, TenantId], file_format: str, seed: int
) -> None:
    """Before a write, or after it took place; or they are out of time. Two runs at once do no harm."""
    here, chance = exporting.world, random.Random(f"{seed} {file_format}")
    export = exporting.request(tenants[0], format=file_format)
    theirs = exporting.request(tenants[1], format=file_format)
    died = 0
    for _ in range(300):
        here.trap = Trap(chance.randint(1, 8), chance.random() < 0.5)
        try:
            exporting.exporter(Pieces(chance.randint(5, 12))).run()
            exporting.exporter(Pieces(10)).run()
        except Crash:
            died += 1
        here.trap = Trap()
        here.later(minutes=6)
        if not exporting.current(export).open and not exporting.current(theirs).open:
            break
    assert died > 2
    for each in (export, theirs):
        assert exporting.current(each).state == "ready"
        assert exporting.rows(exporting.current(each)) == expected_rows(here, each.tenant)
        assert here.search_exports.parts(each) == []
        assert exporting.files(each).keys(each) == [each.object_key]


def test_the_events_are_those_of_the_request_however_late_the_file_is_written(exporting: Exporting) -> None:
    """Loaded later but received before: in it. Received later: not in it, though it matches."""
    here, (tenant, _) = exporting.world, new_tenant()
    store(here, tenant, 20)
    waits = here.stage(tenant, identified([here.row(tenant, "on its way", instant=here.now - 60)]))
    here.later(seconds=2)
    export = exporting.request(tenant, compression="none")
    here.later(seconds=2)
    assert here.deliver(waits)
    assert here.deliver(here.stage(tenant, identified([here.row(tenant, "later", instant=here.now - 60)])))
    exporting.exporter().run()
    messages = [row["message"] for row in exporting.rows(exporting.current(export))]

    assert len(messages) == 21
    assert "on its way" in messages
    assert "later" not in messages


def test_events_that_were_stored_without_identity_are_exported_once_each(exporting: Exporting) -> None:
    here, (tenant, _) = exporting.world, new_tenant()
    rows = [here.row(tenant, "same") for _ in range(7)] + [here.row(tenant, f"other {n}") for n in range(9)]
    assert here.deliver(here.stage(tenant, rows))
    here.later(seconds=2)
    for file_format in ("ndjson", "parquet"):
        found = exporting.rows(exporting.make(tenant, format=file_format))
        assert Counter(row["message"] for row in found) == Counter(
            {"same": 7, **{f"other {n}": 1 for n in range(9)}}
        )
        assert {row["id"] for row in found} == {""}


def test_a_filter_chooses_the_events_and_a_query_with_pipes_is_rejected(
    exporting: Exporting, tenants: tuple[TenantId, TenantId]
) -> None:
    export = exporting.make(tenants[0], query=f"n:>={SOME - 10}", levels=["info"])
    assert sorted(json.loads(row["metadata"])["n"] for row in exporting.rows(export)) == [
        *range(SOME - 10, SOME)
    ]
    for body, code in (
        ({"query": "* | stats count()"}, "invalid_query"),
        ({"format": "xml"}, "invalid_format"),
        ({"limit": 5}, "unknown_field"),
    ):
        with pytest.raises(HttpError) as rejected:
            exporting.request(tenants[0], **body)
        assert rejected.value.code == code


@pytest.mark.parametrize("file_format", ["ndjson", "parquet"])
def test_a_search_without_matches_is_a_file_without_events(
    exporting: Exporting, tenants: tuple[TenantId, TenantId], file_format: str
) -> None:
    export = exporting.make(tenants[0], format=file_format, compression="none", query="n:-1")
    assert exporting.rows(export) == []


def test_a_run_with_time_for_one_page_makes_progress_and_leaves_nothing_but_the_file(
    exporting: Exporting, tenants: tuple[TenantId, TenantId]
) -> None:
    """The events are far too few for a part of an upload: the rest is stored after each run."""
    here = exporting.world
    export = exporting.request(tenants[0])
    runs, seen = 0, []
    while exporting.current(export).open and runs < 60:
        exporting.exporter(Pieces(4)).run()
        here.later(minutes=2)
        runs += 1
        seen.append(exporting.current(export).progress.rows)
    assert seen == sorted(seen)
    assert len(set(seen)) >= 3, seen
    assert exporting.rows(exporting.current(export)) == expected_rows(here, tenants[0])
    assert exporting.files(export).keys(export) == [export.object_key]


def test_a_byoc_customers_file_is_in_the_customers_bucket_and_nothing_of_it_in_ours(
    exporting: Exporting,
) -> None:
    here = exporting.world
    made = [new_tenant("byoc")[0] for _ in range(2)]
    for tenant in made:
        byoc_stores(here, identified([here.row(tenant, f"of {tenant} {n}") for n in range(30)]), tenant)
    here.later(seconds=2)
    for tenant in made:
        export = exporting.make(here.caller(tenant, "byoc"))
        assert [row["message"] for row in exporting.rows(export)] == [f"of {tenant} {n}" for n in range(30)]
        assert list(here.exports_bucket.under(f"exports/v1/tenant={tenant}/")) == []
        shown = exporting.service.get(tenant, export.export_id)
        assert shown.link
        assert f"own-{tenant}" in shown.link
    del here.own[made[0]]
    for tenant, reason in zip(made, ("destination_unavailable", None), strict=True):
        (listed,) = exporting.service.list(tenant).exports
        shown = exporting.service.get(tenant, listed.id)
        assert (shown.link is None, shown.reason) == (reason is not None, reason)


def test_an_export_in_the_week_after_a_move_has_the_events_of_both_stores_in_one_order(
    exporting: Exporting,
) -> None:
    here, tenant, other = exporting.world, new_tenant("byoc")[0], new_tenant()[0]
    ours = [here.row(tenant, f"{n:02}", instant=here.now - 900 + n) for n in range(0, 40, 2)]
    own = [here.row(tenant, f"{n:02}", instant=here.now - 900 + n) for n in range(1, 40, 2)]
    assert here.deliver(here.stage(tenant, identified(ours)))
    assert here.deliver(here.stage(other, identified([here.row(other, "of another")])))
    byoc_stores(here, identified(own), tenant)
    here.later(seconds=2)
    mover = here.caller(tenant, "byoc", here.now + 7 * 86_400)
    export = exporting.make(mover)
    assert [row["message"] for row in exporting.rows(export)] == [f"{n:02}" for n in range(40)]

    late = exporting.request(mover._replace(managed_until=int(here.now) + 5))
    here.later(seconds=6)
    exporting.exporter().run()
    assert (exporting.current(late).state, exporting.current(late).reason) == ("failed", "moved")


def test_a_customer_whose_bucket_does_not_answer_sees_why_and_delays_no_other(exporting: Exporting) -> None:
    here, tenant, other = exporting.world, new_tenant("byoc")[0], new_tenant()[0]
    store(here, other, 10)
    byoc_stores(here, [], tenant)
    here.own_away = True
    here.later(seconds=2)
    stuck, quick = exporting.request(here.caller(tenant, "byoc")), exporting.request(other)
    exporting.exporter().run()
    assert exporting.current(quick).state == "ready"
    assert exporting.current(stuck).open
    assert exporting.current(stuck).reason == "destination_unavailable"
    here.later(seconds=ABANDONED_AFTER_SECONDS)
    exporting.exporter().run()
    failed = exporting.current(stuck)
    here.own_away = False
    assert (failed.state, failed.reason) == ("failed", "destination_unavailable")


def test_two_exports_at_a_time_and_few_a_day_and_another_account_has_its_own(exporting: Exporting) -> None:
    here, tenant, other = exporting.world, new_tenant()[0], new_tenant()[0]
    first, _ = exporting.request(tenant), exporting.request(tenant)
    with pytest.raises(HttpError) as rejected:
        exporting.request(tenant)
    assert (rejected.value.status, rejected.value.code) == (409, "export_in_progress")
    exporting.request(other)
    exporting.exporter().run()
    assert exporting.current(first).state == "ready"
    for _ in range(EXPORTS_A_DAY - 2):
        exporting.make(tenant, **{"from": "2000-01-01T00:00:00Z", "to": "2000-01-01T00:01:00Z"})
    with pytest.raises(HttpError) as rejected:
        exporting.request(tenant)
    assert (rejected.value.status, rejected.value.code) == (429, "too_many_exports")
    assert rejected.value.retry_after_seconds
    exporting.request(other)
    exporting.exporter().run()
    here.later(days=1, seconds=1)
    exporting.request(tenant)
    exporting.exporter().run()


def test_an_export_is_shown_to_its_tenant_only_and_its_file_is_deleted_in_time(exporting: Exporting) -> None:
    here, tenant, other = exporting.world, new_tenant()[0], new_tenant()[0]
    for each in (tenant, other):
        store(here, each, 5)
    here.later(seconds=2)
    mine, theirs = exporting.make(tenant), exporting.make(other)
    shown = exporting.service.get(tenant, mine.export_id)
    assert shown.link
    assert parse_qs(urlsplit(shown.link).query)["X-Amz-Expires"] == ["3600"]
    assert [each.id for each in exporting.service.list(tenant).exports] == [mine.export_id]
    for export_id in (theirs.export_id, "sxp_", "!open-0", f"{mine.export_id}#00001"):
        with pytest.raises(HttpError) as missing:
            exporting.service.get(tenant, export_id)
        assert missing.value.status == 404
    here.later(seconds=KEPT_SECONDS - 300)
    later = exporting.make(other)
    here.later(seconds=300)
    assert exporting.service.get(tenant, mine.export_id).link is None
    exporting.exporter().run()
    assert exporting.current(mine).state == "expired"
    assert exporting.files(mine).keys(mine) == []
    assert exporting.files(later).keys(later) == [later.object_key]
    assert exporting.service.get(other, later.export_id).link


def test_an_account_with_a_huge_export_delays_another_by_no_more_than_its_turn(exporting: Exporting) -> None:
    """Each run has time for one turn, in which the huge export never ends."""
    here, huge, small = exporting.world, new_tenant()[0], new_tenant()[0]
    store(here, huge, 40)
    store(here, small, 10)
    here.later(seconds=2)
    large = exporting.request(huge)
    here.later(seconds=30)
    quick = exporting.request(small)

    class OneTurn:
        """A turn's time, which is over after one page."""

        calls = 0

        def __call__(self) -> float:
            self.calls += 1
            return TURN_SECONDS + 1 if self.calls < 3 else 1.0

    exporting.exporter(OneTurn()).run()
    assert exporting.current(large).state == "running"
    assert exporting.current(quick).state == "requested"
    here.later(seconds=60)
    exporting.exporter().run()
    assert exporting.current(quick).state == "ready"
    here.later(minutes=5)
    exporting.exporter().run()
    assert exporting.current(large).state == "ready"


class Debt:
    """A budget that a tenant has overdrawn; it says who was charged."""

    def __init__(self, debtor: TenantId) -> None:
        self.debtor: TenantId | None = debtor
        self.charged: Counter[str] = Counter()

    def charging(self, caller: Principal, meter: RowMeter) -> AbstractContextManager[None]:
        if caller.tenant == self.debtor:
            raise budget_exceeded(1, 60, of_account=True)
        self.charged[f"{caller.tenant} {caller.actor}"] += 1
        meter.take(caller.tenant)
        return nullcontext()


def test_an_export_waits_while_its_account_has_read_too_much_and_another_is_charged_for_its_own(
    exporting: Exporting,
) -> None:
    here, tenant, other = exporting.world, new_tenant()[0], new_tenant()[0]
    store(here, tenant, 10)
    store(here, other, 10)
    here.later(seconds=2)
    debt = Debt(tenant)
    with_budget = Exporting(here, budget=debt)
    waits, quick = with_budget.request(tenant), with_budget.request(other)
    with_budget.exporter().run()
    assert with_budget.current(quick).state == "ready"
    assert with_budget.current(waits).reason == "search_budget_exceeded"
    assert set(debt.charged) == {f"{other} person:p-{other}"}
    debt.debtor = None
    here.later(minutes=1)
    with_budget.exporter().run()
    assert with_budget.current(waits).state == "ready"
    assert with_budget.current(waits).reason == ""


def test_pages_that_are_too_heavy_are_read_in_smaller_ones(exporting: Exporting) -> None:
    """Messages of a megabyte, of which the engine may return some at a time."""
    here, (tenant, _) = exporting.world, new_tenant()
    rows = [here.row(tenant, f"{n}" + "x" * 1_000_000, instant=here.now - 60) for n in range(12)]
    assert here.deliver(here.stage(tenant, identified(rows)))
    here.later(seconds=2)
    narrow = Exporting(here, limits=replace(LIMITS, max_result_bytes=3_500_000))
    export = narrow.make(tenant, compression="none")
    assert [int(row["message"].rstrip("x")) for row in narrow.rows(export)] == [*range(12)]


HOSTILE = (
    '=HYPERLINK("http://example.org";"x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1",
    'quo"te', "a,b;c", "line\nbreak\r\nand another", "nul\x00byte", "\u2028\u2029", "'=1", "ä🙂", "",
    "\\ \\n", "</script>", "\ufeffbom",
)  # fmt: skip


def test_hostile_texts_are_exact_in_ndjson_and_parquet_and_no_formula_in_csv(exporting: Exporting) -> None:
    here, (tenant, _) = exporting.world, new_tenant()
    rows = [
        here.row(tenant, text, {text: text, "k" * 200_000: n, "nested": {"a\nb": [text]}}, here.now - 60)
        for n, text in enumerate(HOSTILE)
    ]
    assert here.deliver(here.stage(tenant, identified(rows)))
    here.later(seconds=2)
    expected = expected_rows(here, tenant)
    assert [row["message"] for row in expected] == [*HOSTILE]
    for file_format in ("ndjson", "parquet"):
        assert exporting.rows(exporting.make(tenant, format=file_format)) == expected
    found = exporting.rows(exporting.make(tenant, format="csv"))
    assert found == [{name: safe(text) for name, text in row.items()} for row in expected]
    started = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")
    assert not [row for row in found if row["message"].lstrip(" ").startswith(started)]


def test_an_export_whose_upload_was_aborted_fails_and_releases_its_place(
    exporting: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the bucket's lifecycle rule, or its owner, may do. moto has no answer to a part of such an upload.

    Another account's export does not notice.
    """
    here, tenant, other = exporting.world, new_tenant()[0], new_tenant()[0]
    for each in (tenant, other):
        store(here, each, 30)
    here.later(seconds=2)
    export, theirs = exporting.request(tenant), exporting.request(other)
    put_part = Archives.put_part

    def gone(archives: Archives, key: str, upload_id: str, number: int, body: bytes) -> str:
        if key == export.object_key:
            raise NoUploadError("there is no such upload")
        return put_part(archives, key, upload_id, number, body)

    monkeypatch.setattr(Archives, "put_part", gone)
    exporting.exporter().run()
    failed = exporting.current(export)
    assert (failed.state, failed.reason) == ("failed", "file_deleted")
    assert exporting.current(theirs).state == "ready"
    for _ in range(2):
        exporting.request(tenant)
    monkeypatch.undo()
    exporting.exporter().run()
