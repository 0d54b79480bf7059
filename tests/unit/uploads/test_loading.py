"""A file is done when its rows can be searched: as long as objects of it are staged, it is loading."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.shared.buckets.contract import BucketUnavailableError, ListedObject
from functions.shared.events.staged_key import is_staged
from functions.shared.tenancy import TenantId, staged_prefix
from functions.uploads import loading
from functions.uploads.files import DONE, PARTLY, READING
from functions.uploads.loading import FAILED_SECONDS, LoadingFiles
from tests.unit.uploads.test_routes import ask, look
from tests.unit.uploads.world import ACME, GLOBEX, World

BODY = gzip.compress(b"".join(b"line %d\n" % number for number in range(300)))


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three objects for each file."""
    monkeypatch.setattr("functions.uploads.file_reader.PART_ROWS", 100)
    monkeypatch.setattr("functions.uploads.formats.windows.WINDOW_RECORDS", 50)


def staged(here: World, tenant: TenantId = ACME) -> list[str]:
    return sorted(each.key for each in here.staging.under(staged_prefix(tenant)) if is_staged(each.key))


def states(here: World, tenant: TenantId = ACME, **asked: Any) -> dict[str, str]:
    """The state of each file of the tenant, by name, as its list has them."""
    status, shown = ask(here, "GET /v1/uploads", tenant, "read", **asked)
    assert status == 200
    return {each["filename"]: each["state"] for each in shown["uploads"]}


class Broken:
    """A bucket that cannot be listed."""

    def __init__(self) -> None:
        self.asked = 0

    def under(self, _prefix: str, _after: str) -> Iterator[ListedObject]:
        self.asked += 1
        raise BucketUnavailableError("SlowDown")


def test_a_file_is_loading_until_the_last_of_its_objects_is_loaded(here: World) -> None:
    upload_id = here.drop("x", BODY)["id"]
    here.drop("x", BODY, GLOBEX)
    for left in (3, 2, 1):
        assert len(staged(here)) == left
        shown = look(here, upload_id)[1]
        assert (shown["state"], shown["rows_stored"], shown["progress"]) == ("loading", 300, 1.0)
        here.staging.delete([staged(here)[left // 2]])
    assert look(here, upload_id)[1]["state"] == "done"
    assert (states(here), states(here, GLOBEX)) == ({"x": "done"}, {"x": "loading"})


def test_what_was_found_loaded_is_recorded_and_not_looked_up_again(here: World) -> None:
    upload_id = here.drop("x", BODY)["id"]
    here.staging.delete(staged(here))
    assert look(here, upload_id)[1]["state"] == "done"
    bucket = Broken()
    assert states(here, staging=bucket) == {"x": "done"}
    assert bucket.asked == 0


def test_one_listing_has_the_state_of_all_files(here: World) -> None:
    for name in ("a", "b", "c"):
        here.drop(name, BODY)
    here.drop("bad", b"level,message\ninfo\ninfo,a\ninfo,b\n")
    here.drop("empty", b"")
    middle = [key for key in staged(here) if look_up(here, "b") in key]
    here.staging.delete([key for key in staged(here) if key not in middle])
    expected = {"a": "done", "b": "loading", "c": "done", "bad": "partly", "empty": "done"}
    assert states(here) == expected


def look_up(here: World, name: str) -> str:
    """What the ids of the file's objects begin with."""
    (found,) = (file for upload, file in here.register.page(ACME, 10).uploads if upload.key.endswith(name))
    assert found
    return found.part_id(0).removesuffix("000000")


def test_what_the_listing_does_not_reach_counts_as_loading(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a", "b", "c"]
    for name in names:
        here.drop(name, BODY)
    first = min(names, key=lambda name: look_up(here, name))
    last = max(names, key=lambda name: look_up(here, name))
    here.staging.delete([key for key in staged(here) if look_up(here, last) in key])
    monkeypatch.setattr(loading, "LISTED_KEYS", 4)
    assert set(states(here).values()) == {"loading"}
    here.staging.delete([key for key in staged(here) if look_up(here, first) in key])
    assert states(here)[last] == "done"


def test_a_bucket_that_cannot_be_listed_is_not_asked_again_at_once(here: World) -> None:
    now = [1000.0]
    files = LoadingFiles(here.register, lambda: now[0])
    for tenant in (ACME, GLOBEX):
        here.drop("x", BODY, tenant)
        here.staging.delete(staged(here, tenant))
    bucket = Broken()
    for _ in range(3):
        assert states(here, staging=bucket, loading=files) == {"x": "loading"}
    assert bucket.asked == 1
    assert states(here, loading=files) == {"x": "loading"}
    assert states(here, GLOBEX, loading=files) == {"x": "done"}
    now[0] += FAILED_SECONDS
    assert states(here, loading=files) == {"x": "done"}


def test_a_byoc_customers_objects_are_looked_up_in_its_own_bucket(here: World) -> None:
    upload_id = here.drop("x", BODY)["id"]
    ours, theirs = Broken(), here.staging
    arguments = {"upload_id": upload_id, "plan": "byoc", "own": lambda _tenant: theirs, "staging": ours}
    assert ask(here, "GET /v1/uploads/{id}", scopes="read", **arguments)[1]["state"] == "loading"
    here.staging.delete(staged(here))
    assert ask(here, "GET /v1/uploads/{id}", scopes="read", **arguments)[1]["state"] == "done"
    assert ours.asked == 0


def test_a_file_that_stopped_and_continues_is_loading_again(here: World) -> None:
    here.drop("x", BODY)
    here.staging.delete(staged(here))
    assert states(here) == {"x": "done"}
    ((_, file),) = here.register.page(ACME, 1).uploads
    assert file
    assert (file.state, file.loaded) == (DONE, 1)
    stopped = replace(file, state=PARTLY, code="quota_exceeded", checkpoint="c")
    again = stopped.anew(datetime.now(UTC), 30)
    assert (again.state, again.loaded) == (READING, 0)
