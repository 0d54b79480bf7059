"""What is wrong with a customer's bucket is named with its fix, and nothing stays in it."""

import pytest

from tests.integration.destinations.world import World, by_step, only_failed


@pytest.mark.parametrize(
    ("action", "status", "code", "step", "fix"),
    [
        ("s3:ListBucket", 403, "InvalidAccessKeyId", "bucket.authenticate", "access_key_id"),
        ("s3:ListBucket", 403, "SignatureDoesNotMatch", "bucket.authenticate", "secret_access_key"),
        ("s3:ListBucket", 403, "AccessDenied", "bucket.authenticate", "s3:ListBucket"),
        ("s3:ListBucket", 404, "NoSuchBucket", "bucket.authenticate", "Create the bucket"),
        ("s3:ListBucket", 400, "AuthorizationHeaderMalformed", "bucket.authenticate", "bucket.region"),
        ("s3:PutObject", 403, "AccessDenied", "bucket.write", "s3:PutObject"),
        ("s3:PutObject", 501, "NotImplemented", "bucket.write", "conditional writes"),
        ("s3:GetObject", 403, "AccessDenied", "bucket.read", "s3:GetObject"),
        ("s3:DeleteObject", 403, "AccessDenied", "bucket.delete", "s3:DeleteObject"),
    ],
)
def test_a_bucket_that_rejects_has_a_fix_and_keeps_nothing(
    world: World, action: str, status: int, code: str, step: str, fix: str
) -> None:
    world.clouds.refuses[action] = (status, code)
    failed = only_failed(world.ask("POST /v1/destination/test", body=world.body())[1])
    assert (failed["step"], fix in failed["fix"]) == (step, True)
    world.clouds.well()
    assert world.left() == []


def test_a_key_that_may_not_list_is_tried_to_the_end(world: World) -> None:
    world.clouds.refuses["s3:ListBucket"] = (403, "AccessDenied")
    named = by_step(world.ask("POST /v1/destination/test", body=world.body())[1])
    assert all(named[f"bucket.{name}"]["ok"] for name in ("write", "write_once", "read", "delete"))


def test_an_object_whose_answer_was_lost_is_removed(world: World) -> None:
    world.clouds.lost.add("s3:PutObject")
    failed = only_failed(world.ask("POST /v1/destination/test", body=world.body())[1])
    assert failed["step"] == "bucket.write"
    assert world.left() == []


def test_a_store_that_overwrites_is_reported_as_at_least_once(world: World) -> None:
    world.clouds.honours_conditions = False
    status, kept = world.ask("PUT /v1/destination", body=world.body())
    assert (status, kept["guarantee"]) == (200, "at_least_once")
    reported = by_step(kept)["bucket.write_once"]
    assert reported["ok"]
    assert "Idempotency-Key" in reported["detail"]
    assert "If-None-Match" in reported["fix"]


def test_the_region_of_awss_own_bucket_is_checked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.clouds.url)  # stands for AWS where loopback is allowed
    world.clouds.client("s3").create_bucket(
        Bucket="acme-in-ireland", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    body = world.body(bucket__name="acme-in-ireland", bucket__endpoint=None)
    failed = only_failed(world.ask("POST /v1/destination/test", body=body)[1])
    assert (failed["step"], failed["fix"]) == ("bucket.authenticate", "Set bucket.region to eu-west-1.")
    body["bucket"]["region"] = "eu-west-1"
    assert world.ask("PUT /v1/destination", body=body)[0] == 200
