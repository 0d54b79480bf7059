"""What a customer's endpoint may answer that S3 never would, and what is made of it."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError, SSLError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from functions.shared.buckets import customer
from functions.shared.buckets.contract import BucketRefusedError, BucketUnavailableError
from functions.shared.buckets.customer import CustomerBucket
from functions.shared.egress.egress_filter import AddressRefusedError
from functions.shared.errors import PermanentError
from tests.integration.faulty_s3 import faulty_s3

SECRET = "https://user:hunter2@internal.example/path?X-Amz-Signature=abc"


def client(endpoint: str = "http://127.0.0.1:9") -> Any:
    keys = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests", "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=endpoint, **keys)


@pytest.fixture
def s3() -> Any:
    return client()


def raising(fault: Exception) -> CustomerBucket:
    class Raises:
        def __getattr__(self, _name: str) -> Any:
            def call(**_arguments: Any) -> None:
                raise fault

            return call

    return CustomerBucket(Raises(), "bucket")


def answered(code: str, status: int) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": SECRET},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "GetObject")


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        (answered("SlowDown", 503), BucketUnavailableError, "SlowDown"),
        (answered("ThrottlingException", 400), BucketUnavailableError, "ThrottlingException"),
        (answered("RequestTimeout", 400), BucketUnavailableError, "RequestTimeout"),
        (answered("TooManyRequests", 429), BucketUnavailableError, "TooManyRequests"),
        (answered("AccessDenied", 403), BucketRefusedError, "AccessDenied"),
        (answered("InvalidAccessKeyId", 403), BucketRefusedError, "InvalidAccessKeyId"),
        (answered("PermanentRedirect", 301), BucketRefusedError, "PermanentRedirect"),
        (answered("KMS.DisabledException", 400), BucketRefusedError, "KMS.DisabledException"),
        (answered("404", 404), BucketRefusedError, "404"),
        (answered(SECRET, 418), BucketRefusedError, "418"),
        (answered("", 502), BucketUnavailableError, "502"),
        (NoCredentialsError(), BucketRefusedError, "NoCredentialsError"),
        (SSLError(endpoint_url=SECRET, error=SECRET), BucketUnavailableError, "SSLError"),
        (HTTPClientError(error=OSError(SECRET)), BucketUnavailableError, "HTTPClientError"),
        (AddressRefusedError(SECRET), BucketRefusedError, "AddressRefusedError"),
        (OSError(SECRET), BucketUnavailableError, "OSError"),
        (KeyError(SECRET), BucketUnavailableError, "KeyError"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_every_failure_has_a_kind_and_a_reason_and_no_more(
    fault: Exception, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error) as caught:
        raising(fault).get("x")
    assert str(caught.value) == f"S3: {reason}"
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("status", [400, 405, 411, 501])
def test_a_service_without_delete_objects_deletes_one_by_one(status: int) -> None:
    with faulty_s3() as server:
        server.objects = {f"/bucket/folder/{number}": b"" for number in range(20)}
        server.faults = [status, ""]
        bucket = CustomerBucket(client(server.url), "bucket", "folder/")
        bucket.delete([str(number) for number in range(1, 20)])
        assert list(server.objects) == ["/bucket/folder/0"]


def test_a_service_without_delete_objects_that_fails_on_the_way_is_unavailable() -> None:
    with faulty_s3() as server:
        server.faults = [501, "", "", 503]
        with pytest.raises(BucketUnavailableError):
            CustomerBucket(client(server.url), "bucket").delete([str(number) for number in range(20)])


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        (["NoSuchKey"], None),
        (["NoSuchKey", "AccessDenied"], BucketRefusedError),
        (["InternalError"], BucketUnavailableError),
        (["SlowDown"], BucketUnavailableError),
    ],
)
def test_a_deletion_that_leaves_an_object_fails(
    s3: Any, codes: list[str], error: type[Exception] | None
) -> None:
    with Stubber(s3) as stub:
        stub.add_response("delete_objects", {"Errors": [{"Key": "x", "Code": code} for code in codes]})
        bucket = CustomerBucket(s3, "bucket")
        if error is None:
            bucket.delete(["x"])
        else:
            with pytest.raises(error):
                bucket.delete(["x"])


def test_a_thousand_keys_are_deleted_at_a_time(s3: Any) -> None:
    many = [str(number) for number in range(2_001)]
    with Stubber(s3) as stub:
        for start, end in ((0, 1000), (1000, 2000), (2000, 2001)):
            named = [{"Key": f"folder/{key}"} for key in many[start:end]]
            expected = {"Bucket": "bucket", "Delete": {"Objects": named, "Quiet": True}}
            stub.add_response("delete_objects", {}, expected)
        CustomerBucket(s3, "bucket", "folder/").delete(many)
        stub.assert_no_pending_responses()


def test_what_is_larger_than_anything_we_stage_is_not_read(s3: Any) -> None:
    size = customer.LARGEST_OBJECT_BYTES + 1
    body = BytesIO(b"never read")
    with Stubber(s3) as stub:
        stub.add_response(
            "get_object", {"Body": StreamingBody(body, size), "ContentLength": size, "ETag": '"e"'}
        )
        with pytest.raises(BucketRefusedError):
            CustomerBucket(s3, "bucket").get("x")
    assert body.closed


def test_a_body_that_ends_early_is_not_returned_as_the_object(s3: Any) -> None:
    with Stubber(s3) as stub:
        body = StreamingBody(BytesIO(b"half"), 8)
        stub.add_response("get_object", {"Body": body, "ContentLength": 8, "ETag": '"e"'})
        with pytest.raises(BucketUnavailableError):
            CustomerBucket(s3, "bucket").get("x")


@pytest.mark.parametrize("method", ["put_object", "head_object"])
def test_an_answer_without_an_etag_is_none(s3: Any, method: str) -> None:
    bucket = CustomerBucket(s3, "bucket")
    with Stubber(s3) as stub:
        stub.add_response(method, {})
        with pytest.raises(BucketUnavailableError):
            bucket.create("x", b"body") if method == "put_object" else bucket.etag_of("x")


def test_a_folder_that_a_console_drew_is_not_listed(s3: Any) -> None:
    shown = {"ETag": '"e"', "Size": 0, "LastModified": datetime.now(UTC)}
    with Stubber(s3) as stub:
        stub.add_response(
            "list_objects_v2", {"Contents": [{"Key": "folder/", **shown}, {"Key": "folder/x", **shown}]}
        )
        assert [each.key for each in CustomerBucket(s3, "bucket", "folder/").under("")] == ["x"]


def test_a_written_object_has_its_type_and_its_metadata(s3: Any) -> None:
    with Stubber(s3) as stub:
        expected = {
            "Bucket": "bucket",
            "Key": "folder/x",
            "Body": b"body",
            "IfNoneMatch": "*",
            "ContentType": "application/zstd",
            "Metadata": {"rows": "3"},
        }
        stub.add_response("put_object", {"ETag": '"e"'}, expected)
        bucket = CustomerBucket(s3, "bucket", "folder/")
        assert bucket.create("x", b"body", {"Content-Type": "application/zstd", "rows": "3"}) == "e"


def test_a_part_of_a_bucket_is_a_folder() -> None:
    with pytest.raises(PermanentError):
        CustomerBucket(None, "bucket", "logs")
