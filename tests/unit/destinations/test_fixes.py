"""Every way a service is known to refuse has a sentence to act on, and none of the service's own."""

import pytest

from functions.destinations.bucket_fixes import bucket_failure
from functions.destinations.clickhouse_fixes import clickhouse_failure
from functions.destinations.role_fixes import role_failure
from functions.destinations.tables import REQUIRED, grants
from functions.shared.buckets.contract import BucketRefusedError, BucketUnavailableError
from functions.shared.schema.migration_files import migrations
from functions.shared.warehouse import OutcomeUnknownError, WarehouseDownError, refusal


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("InvalidAccessKeyId", "access_key_id"),
        ("SignatureDoesNotMatch", "secret_access_key"),
        ("NoSuchBucket", "Create the bucket"),
        ("AuthorizationHeaderMalformed", "bucket.region"),
        ("PermanentRedirect", "bucket.region"),
        ("301", "bucket.region"),
        ("ExpiredToken", "temporary"),
        ("NotImplemented", "conditional writes"),
        ("AccessDenied", "s3:PutObject"),
        ("403", "s3:PutObject"),
        ("SomethingNew", "documentation"),
    ],
)
def test_a_bucket_that_rejects_has_its_own_fix(reason: str, word: str) -> None:
    failed = bucket_failure(BucketRefusedError(reason), "s3:PutObject", "arn:aws:s3:::logs/*")
    assert word in failed.fix
    assert failed.blocks


def test_a_role_without_a_permission_is_named_as_a_role() -> None:
    failed = bucket_failure(BucketRefusedError("AccessDenied"), "s3:PutObject", "arn", by_role=True)
    assert failed.detail == "The role has no permission for s3:PutObject."
    assert "the role's policy" in failed.fix


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("AccessDenied", "external id e-1 "),
        ("AccessDenied", "account 111122223333 "),
        ("AccessDenied", "MFA"),
        ("ValidationError", "bucket.role_arn"),
        ("RegionDisabledException", "Activate"),
    ],
)
def test_a_role_that_cannot_be_assumed_has_a_fix(code: str, word: str) -> None:
    failed = role_failure(code, "111122223333", "e-1")
    assert word in failed.fix
    assert failed.blocks


def test_a_key_that_may_not_list_is_tried_further() -> None:
    assert not bucket_failure(BucketRefusedError("AccessDenied"), "s3:ListBucket", "arn").blocks


@pytest.mark.parametrize(("reason", "word"), [("ReadTimeoutError", "in time"), ("SlowDown", "SlowDown")])
def test_a_bucket_that_is_away_has_a_fix(reason: str, word: str) -> None:
    assert word in bucket_failure(BucketUnavailableError(reason), "s3:PutObject", "arn").detail


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (516, "password"),
        (193, "password"),
        (81, "CREATE DATABASE"),
        (497, "GRANT"),
        (164, "readonly"),
        (452, "constraints"),
        (195, "addresses"),
        (242, "Keeper"),
        (48, "MergeTree"),
        (202, "reduce its load"),
        (9999, "query_log"),
    ],
)
def test_a_clickhouse_that_rejects_has_a_fix_by_its_code(code: int, word: str) -> None:
    failed = clickhouse_failure(refusal(code, "CANARY"), grants("logs"), 6)
    assert word in failed.fix
    assert "CANARY" not in f"{failed.detail} {failed.fix}"


@pytest.mark.parametrize("fault", [WarehouseDownError("x"), OutcomeUnknownError("x")])
def test_a_clickhouse_that_does_not_answer_has_a_fix(fault: Exception) -> None:
    assert "No " in clickhouse_failure(fault, "", 6).detail


def test_the_columns_that_are_asked_for_are_those_of_our_sql() -> None:
    for migration, table in zip(migrations()[:2], REQUIRED, strict=True):
        assert f"CREATE TABLE IF NOT EXISTS {table}\n" in migration.statement
        assert all(f"\n    {name} " in migration.statement for name in REQUIRED[table])
