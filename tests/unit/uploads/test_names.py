"""A file's name says nothing: wrong endings, none, capitals, blanks, plus and percent signs, all scripts."""

import gzip

import pytest

from functions.shared.tenancy import TenantId
from functions.uploads.notifications import read
from tests.unit.uploads.world import ACME, GLOBEX, World, s3_says, sqs_event

NAMES = [
    "log.parquet",
    "noending",
    "UPPER CASE.LOG.GZ",
    "with blanks  twice.log",
    "a+b.log",
    "100%.log",
    "100%25.log",
    "%41.log",
    "ünïcödé/日本語/лог.txt",
    "emoji-🚀.log",
    "quote'\"<>&?#.log",
    "a//b/../c/./d.log",
    "-leading.log",
    "ends with blank ",
    "tenant=globex/dropin/v1/tenant=globex/x",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_any_name_is_stored(here: World, name: str) -> None:
    shown = here.drop(name, gzip.compress(b"one line\n"))

    assert (shown["state"], shown["rows_stored"]) == ("done", 1)
    assert here.messages() == ["one line"]
    assert here.originals() == []
    assert here.rows(GLOBEX) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_key_is_decoded_once(name: str) -> None:
    key = f"dropin/v1/tenant=acme/{name}"
    (message,) = read(sqs_event(s3_says(key, 1, "e")))
    assert message.files
    assert message.files[0].key == key


def test_a_folder_is_no_file_and_a_file_without_a_name_neither(here: World) -> None:
    for name in ("", "folder/"):
        assert here.deliver(here.put(name, b"")) == []
    assert here.statuses() == []


def test_another_tenants_prefix_cannot_be_claimed(here: World) -> None:
    here.drop("tenant=globex/x", b"acme's\n")
    here.drop("../tenant=globex/x", b"acme's too\n")
    assert here.statuses(GLOBEX) == []
    assert len(here.messages(ACME)) == 2


@pytest.mark.parametrize(
    "key", ["dropin/v1/tenant=nobody/x", "dropin/v1/tenant=AC ME/x", "elsewhere/x", "dropin/v1/tenant=acme"]
)
def test_a_file_that_is_nobodys_is_left_alone(here: World, key: str) -> None:
    here.s3.put_object(Bucket="drop", Key=key, Body=b"line\n")
    assert here.deliver(s3_says(key, 5, "e")) == []
    assert here.originals() == [key]


def test_what_comes_into_an_account_that_was_erased_is_deleted_unread(here: World) -> None:
    """By a link from before; a file of an unknown account, or of another's, stays."""
    here.erased |= {TenantId("gone"), GLOBEX}
    bodies = [here.put("late.log", b"of jane\n", TenantId(name)) for name in ("gone", "nobody")]
    theirs = here.put("theirs.log", b"line\n", GLOBEX)
    assert here.deliver(*bodies, bodies[0], theirs) == []

    assert here.originals() == ["dropin/v1/tenant=nobody/late.log"]
    assert here.messages(GLOBEX) == ["line"], "it is there, so it was not erased yet"
    assert here.statuses(TenantId("gone")) == []


def test_a_message_about_another_bucket_counts_for_nothing(here: World) -> None:
    """Not even where the account was erased: a file of that name in our bucket is another one."""
    here.erased.add(TenantId("gone"))
    body, gone = here.put("x", b"line\n"), here.put("x", b"line\n", TenantId("gone"))
    assert here.deliver(*(each.replace('"name": "drop"', '"name": "pord"') for each in (body, gone))) == []
    assert here.statuses() == []
    assert "dropin/v1/tenant=gone/x" in here.originals()
    assert here.deliver(body) == []
    assert here.messages() == ["line"]
