"""Each sentence of functions.shared.buckets.contract.Bucket, for our buckets and for a customer's."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from socket import socket
from threading import Barrier
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from obstore.store import MemoryStore

from bench.children import child
from functions.shared.buckets.contract import Bucket, BucketError, BucketRefusedError, BucketUnavailableError
from functions.shared.buckets.customer import CustomerBucket
from functions.shared.buckets.platform import PlatformBucket, open_bucket
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId, staged_prefix
from local.naming import aws_variables
from tests.integration.faulty_s3 import FaultyS3, faulty_s3

NAME = "staging"
PATIENCE_SECONDS = 12
MORE_THAN_A_PAGE = 1_050
STRANGE = ("a b", "a+b", "a%20b", "a%2Fb", "tenant=acme/day=2026-11-23/x", "ä€😀", "<a>&'\"b", "a;b?c#d")

Call = Callable[[Bucket], object]

READS: dict[str, Call] = {
    "get": lambda bucket: bucket.get("x"),
    "etag_of": lambda bucket: bucket.etag_of("x"),
    "delete": lambda bucket: bucket.delete(["x"]),
    "under": lambda bucket: list(bucket.under("x/")),
}
WRITES: dict[str, Call] = {
    "create": lambda bucket: bucket.create("x", b"body"),
    "replace": lambda bucket: bucket.replace("x", b"body", "etag"),
}
CALLS = READS | WRITES
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def client(endpoint: str) -> Any:
    """As impatient as tests are; a customer's is made elsewhere."""
    keys = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests", "region_name": "us-east-1"}
    patience = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
    return boto3.client("s3", endpoint_url=endpoint, config=patience, **keys)


def over(kind: str, endpoint: str, name: str = NAME, prefix: str = "") -> Bucket:
    """A bucket of that kind at `endpoint`."""
    if kind == "customers":
        return CustomerBucket(client(endpoint), name, prefix)
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in aws_variables(endpoint).items():
            patch.setenv(variable, value)
        return open_bucket(name)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with child("local.aws") as aws:
        url = f"http://127.0.0.1:{aws.port}"
        client(url).create_bucket(Bucket=NAME)
        yield url


@pytest.fixture(scope="module", params=["memory", "ours", "customers"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    if request.param == "memory":
        return PlatformBucket(MemoryStore())
    url = request.getfixturevalue("endpoint")
    return over(request.param, url, prefix="some/where/")


@pytest.fixture
def folder() -> str:
    """A part of the buckets that no other test has seen."""
    return f"{uuid4().hex}/"


def body_of(bucket: Bucket, key: str) -> bytes | None:
    stored = bucket.get(key)
    return None if stored is None else bytes(stored.body)


def keys(bucket: Bucket, prefix: str) -> list[str]:
    return sorted(each.key for each in bucket.under(prefix))


def test_what_was_created_is_found_whole_with_the_etag_it_was_given(bucket: Bucket, folder: str) -> None:
    body = bytes(range(256)) * 1000
    attributes = {"Content-Type": "application/zstd", "rows": "3", "schema-version": "1"}
    etag = bucket.create(folder + "x", body, attributes)
    assert etag
    assert '"' not in etag
    stored = bucket.get(folder + "x")
    assert stored is not None
    assert (bytes(stored.body), stored.etag) == (body, etag)
    assert bucket.etag_of(folder + "x") == etag


def test_an_empty_body_is_a_body(bucket: Bucket, folder: str) -> None:
    assert bucket.create(folder + "x", b"") is not None
    assert body_of(bucket, folder + "x") == b""


def test_a_key_that_is_taken_keeps_what_it_has(bucket: Bucket, folder: str) -> None:
    assert bucket.create(folder + "x", b"first") is not None
    assert bucket.create(folder + "x", b"second") is None
    assert bucket.create(folder + "x", b"first") is None
    assert body_of(bucket, folder + "x") == b"first"


def test_of_all_who_create_a_key_at_once_one_is_given_an_etag(bucket: Bucket, folder: str) -> None:
    bodies = [b"%d" % number for number in range(8)]
    together = Barrier(len(bodies))

    def create(body: bytes) -> str | None:
        together.wait()
        return bucket.create(folder + "x", body)

    with ThreadPoolExecutor(len(bodies)) as pool:
        etags = list(pool.map(create, bodies))
    winners = [body for body, etag in zip(bodies, etags, strict=True) if etag is not None]
    assert [body_of(bucket, folder + "x")] == winners


def test_only_who_knows_the_etag_replaces(bucket: Bucket, folder: str) -> None:
    first = bucket.create(folder + "x", b"first") or ""
    assert bucket.replace(folder + "x", b"second", first)
    assert body_of(bucket, folder + "x") == b"second"
    assert not bucket.replace(folder + "x", b"third", first)
    assert body_of(bucket, folder + "x") == b"second"
    assert bucket.replace(folder + "x", b"fourth", bucket.etag_of(folder + "x") or "")
    assert body_of(bucket, folder + "x") == b"fourth"


def test_of_all_who_replace_an_object_at_once_one_does(bucket: Bucket, folder: str) -> None:
    etag = bucket.create(folder + "x", b"first") or ""
    together = Barrier(8)

    def replace(number: int) -> bool:
        together.wait()
        return bucket.replace(folder + "x", b"%d" % number, etag)

    with ThreadPoolExecutor(8) as pool:
        replaced = list(pool.map(replace, range(8)))
    assert replaced.count(True) == 1
    assert body_of(bucket, folder + "x") == b"%d" % replaced.index(True)


def test_what_is_not_there_is_none_and_cannot_be_replaced(bucket: Bucket, folder: str) -> None:
    assert bucket.get(folder + "x") is None
    assert bucket.etag_of(folder + "x") is None
    assert not bucket.replace(folder + "x", b"body", "0123456789abcdef0123456789abcdef")
    assert bucket.get(folder + "x") is None
    assert list(bucket.under(folder)) == []


def test_deleting_a_missing_object_is_not_an_error(bucket: Bucket, folder: str) -> None:
    for key in ("x", "y", "z"):
        bucket.create(folder + key, b"body")
    for _ in range(2):
        bucket.delete([folder + "x", folder + "never", folder + "y"])
        assert keys(bucket, folder) == [folder + "z"]
    bucket.delete([])
    assert bucket.create(folder + "x", b"again") is not None


def test_a_listing_has_key_etag_size_and_time(bucket: Bucket, folder: str) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    etags = {
        folder + key: bucket.create(folder + key, b"body" * size) for key, size in (("x", 1), ("y/z", 2))
    }
    listed = {each.key: each for each in bucket.under(folder)}
    assert {key: each.etag for key, each in listed.items()} == etags
    assert [listed[folder + key].size_bytes for key in ("x", "y/z")] == [4, 8]
    assert all(before <= each.modified_at <= datetime.now(UTC) for each in listed.values())


def test_more_than_a_page_is_listed_and_deleted(bucket: Bucket, folder: str) -> None:
    many = sorted(f"{folder}{number:05d}" for number in range(MORE_THAN_A_PAGE))
    with ThreadPoolExecutor(8) as pool:
        assert None not in list(pool.map(lambda key: bucket.create(key, b"x"), many))
    assert keys(bucket, folder) == many
    bucket.delete(many)
    assert keys(bucket, folder) == []


def test_a_key_of_any_characters_is_listed_unchanged(bucket: Bucket, folder: str) -> None:
    strange = [folder + key for key in STRANGE]
    for key in strange:
        assert bucket.create(key, key.encode()) is not None
    assert keys(bucket, folder) == sorted(strange)
    assert [body_of(bucket, key) for key in strange] == [key.encode() for key in strange]
    bucket.delete(strange[1:])
    assert keys(bucket, folder) == strange[:1]


def test_a_listing_of_one_tenant_shows_nothing_of_another(bucket: Bucket) -> None:
    tenants = [TenantId(name) for name in ("acme", "acme-2", "acm", "globex")]
    for tenant in tenants:
        assert bucket.create(staged_prefix(tenant) + "x", b"body") is not None
    for tenant in tenants:
        assert keys(bucket, staged_prefix(tenant)) == [staged_prefix(tenant) + "x"]


def test_a_prefix_that_is_no_folder_is_refused(bucket: Bucket) -> None:
    with pytest.raises(PermanentError):
        list(bucket.under("staged/v1/tenant=acme"))


def test_an_empty_prefix_is_everything(bucket: Bucket, folder: str) -> None:
    bucket.create(folder + "x", b"body")
    assert folder + "x" in keys(bucket, "")


def test_two_customers_prefixes_in_one_bucket_do_not_meet(endpoint: str, folder: str) -> None:
    acme, other = (over("customers", endpoint, prefix=f"{folder}{name}/") for name in ("acme", "acme-2"))
    assert acme.create("staged/x", b"acme") is not None
    assert other.create("staged/x", b"other") is not None
    assert (body_of(acme, "staged/x"), body_of(other, "staged/x")) == (b"acme", b"other")
    assert keys(acme, "") == ["staged/x"]
    acme.delete(["staged/x"])
    assert (keys(acme, "staged/"), keys(other, "staged/")) == ([], ["staged/x"])


@pytest.mark.parametrize("kind", ["ours", "customers"])
@pytest.mark.parametrize("call", sorted(CALLS.keys() - {"etag_of"}))
def test_a_bucket_that_is_not_there_is_refused_and_never_empty(endpoint: str, kind: str, call: str) -> None:
    with pytest.raises(BucketRefusedError) as caught:
        CALLS[call](over(kind, endpoint, name="nowhere"))
    assert caught.value.reason == "NoSuchBucket"


@pytest.fixture(scope="module")
def s3() -> Iterator[FaultyS3]:
    with faulty_s3() as running:
        yield running


@pytest.fixture(scope="module", params=["ours", "customers"])
def faulty(request: pytest.FixtureRequest, s3: FaultyS3) -> Bucket:
    return over(request.param, s3.url)


@every_call
@pytest.mark.parametrize(
    ("status", "error"),
    [(500, BucketUnavailableError), (503, BucketUnavailableError), (403, BucketRefusedError)],
)
def test_an_answer_that_is_an_error_says_whether_it_passes(
    s3: FaultyS3, faulty: Bucket, call: Call, status: int, error: type[BucketError]
) -> None:
    s3.faults = [status]
    with pytest.raises(error) as caught:
        call(faulty)
    assert_silent(caught.value)


@pytest.mark.parametrize("call", [WRITES["create"], READS["delete"], READS["under"]])
def test_a_404_to_what_needs_no_object_is_a_refusal(s3: FaultyS3, faulty: Bucket, call: Call) -> None:
    s3.faults = [404]
    with pytest.raises(BucketRefusedError):
        call(faulty)


@pytest.mark.parametrize("call", READS.values(), ids=READS)
def test_a_conflict_over_anything_but_a_write_passes(s3: FaultyS3, faulty: Bucket, call: Call) -> None:
    s3.faults = [409]
    with pytest.raises(BucketUnavailableError):
        call(faulty)


def test_a_conflict_over_a_write_leaves_the_key_to_the_other(s3: FaultyS3, faulty: Bucket) -> None:
    s3.faults, key = [409], uuid4().hex
    assert faulty.create(key, b"body") is None
    assert not faulty.replace(key, b"body", "etag")
    assert f"/{NAME}/{key}" not in s3.objects


@pytest.mark.parametrize("fault", ["reset", "cut", "silent"])
def test_a_write_without_an_answer_times_out(s3: FaultyS3, faulty: Bucket, fault: str) -> None:
    s3.faults = [fault]
    began = time.monotonic()
    with pytest.raises(BucketUnavailableError) as caught:
        faulty.create("x", b"body")
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert_silent(caught.value)


def test_a_write_whose_answer_was_lost_is_recognised_by_its_etag(s3: FaultyS3, faulty: Bucket) -> None:
    s3.faults, key = ["lost", "lost", "lost", ""], uuid4().hex
    created = None
    for _ in range(4):
        try:
            created = faulty.create(key, b"body")
            break
        except BucketUnavailableError:
            continue
    assert created is None
    assert s3.objects[f"/{NAME}/{key}"] == b"body"


@every_call
@pytest.mark.parametrize("kind", ["ours", "customers"])
def test_a_silent_endpoint_is_unavailable_in_time(kind: str, call: Call) -> None:
    with socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = over(kind, f"http://127.0.0.1:{closed.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(BucketUnavailableError) as caught:
            call(gone)
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert_silent(caught.value)


def assert_silent(error: BucketError) -> None:
    """The error has its reason, and nothing of the request or the bucket."""
    assert str(error) == f"S3: {error.reason}"
    assert error.reason.isalnum()
    assert error.__suppress_context__ or error.__context__ is None
    assert error.__cause__ is None
