"""An erasure deletes the exports of search results from before it, wherever their files are."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.crash.furnishing import furnish
from tests.crash.privacy_world import World, new_tenant, world_with_engine
from tests.crash.search_exporting import Exporting, byoc_stores, expected_rows, identified, store
from tests.crash.test_exports import Pieces


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world_with_engine() as made:
        yield made


@pytest.fixture
def exporting(here: World) -> Exporting:
    return Exporting(here)


def test_the_erasure_of_a_person_deletes_the_exports_from_before_it_and_no_other_accounts(
    exporting: Exporting,
) -> None:
    """One that is ready and one that is being written, whose query names the person."""
    here, (tenant, mark), other = exporting.world, new_tenant(), new_tenant()[0]
    rows = [here.row(tenant, f"of {mark} {n}") for n in range(20)] + [here.row(tenant, "of another person")]
    assert here.deliver(here.stage(tenant, identified(rows)))
    store(here, other, 10)
    here.later(seconds=2)
    theirs = exporting.make(other)
    ready = exporting.make(tenant, query=f'"{mark}"')
    since = datetime.fromtimestamp(here.now - 60, UTC).isoformat()
    begun = exporting.request(tenant, compression="none", **{"from": since})
    exporting.exporter(Pieces(4)).run()
    assert exporting.files(begun).keys(begun) != []
    assert {"bucket exports/exports", "table search-exports"} <= here.where(mark)[mark]
    here.later(minutes=3)
    here.erase(here.ask_for_person(tenant, "message", f"of {mark} 3"))
    assert here.search_exports.all(tenant) == []
    for export in (ready, begun):
        assert exporting.files(export).keys(export) == []
    assert here.where(mark)[mark].isdisjoint({"bucket exports/exports", "table search-exports"})
    assert exporting.files(begun).archives.unfinished(f"exports/v1/tenant={tenant}/") == []
    assert exporting.rows(exporting.current(theirs)) == expected_rows(here, other)
    here.later(minutes=3)
    again = exporting.make(tenant)
    messages = [row["message"] for row in exporting.rows(again)]
    assert f"of {mark} 3" not in messages
    assert "of another person" in messages


def test_the_erasure_of_a_person_deletes_a_byoc_customers_exports_in_the_customers_bucket(
    exporting: Exporting,
) -> None:
    here, (tenant, mark), other = exporting.world, new_tenant("byoc"), new_tenant("byoc")[0]
    for each in (tenant, other):
        byoc_stores(here, identified([here.row(each, f"of {mark}"), here.row(each, "another")]), each)
    here.later(seconds=2)
    mine, theirs = (exporting.make(here.caller(each, "byoc")) for each in (tenant, other))
    here.own[tenant][0].create(f"exports/v1/tenant={tenant}/sxp_gone/rest-1", b"of a run that died")
    here.later(minutes=3)
    here.own[tenant][1].command("SYSTEM START MERGES events")
    here.erase(here.ask_for_person(tenant, "message", f"of {mark}", plan="byoc"))
    assert list(here.own[tenant][0].under(f"exports/v1/tenant={tenant}/")) == []
    assert here.search_exports.all(tenant) == []
    assert exporting.files(mine).keys(mine) == []
    assert len(exporting.rows(exporting.current(theirs))) == 2


def test_the_erasure_of_an_account_leaves_no_export_of_it(exporting: Exporting) -> None:
    here, (tenant, mark), other = exporting.world, new_tenant(), new_tenant()[0]
    furnish(here, tenant, mark)
    store(here, other, 10)
    here.later(seconds=2)
    theirs = exporting.make(other)
    exporting.request(tenant, format="parquet")
    exporting.exporter(Pieces(5)).run()
    here.erase(here.ask_for_account(tenant))
    assert here.search_exports.all(tenant) == []
    assert list(here.exports_bucket.under(f"exports/v1/tenant={tenant}/")) == []
    assert exporting.rows(exporting.current(theirs)) == expected_rows(here, other)
