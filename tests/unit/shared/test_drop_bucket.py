"""Files in a bucket of any owner: a range is that range of that file, or an error."""

import io
from typing import Any

import pytest
from botocore.response import StreamingBody

from functions.shared.buckets.contract import BucketRefusedError, ObjectChangedError
from functions.shared.buckets.drop_bucket import DropBucket, DroppedFile

FILE = DroppedFile("theirs", "dropin/v1/tenant=acme/x", "e", 100)


class S3:
    """Answers each request with the same object, whatever range and condition it has."""

    def __init__(self, body: bytes, etag: str = '"e"') -> None:
        self.body = io.BytesIO(body)
        self.answer = {
            "ETag": etag,
            "ContentLength": len(body),
            "Body": StreamingBody(self.body, len(body)),  # type: ignore[no-untyped-call]
        }

    def get_object(self, **_asked: Any) -> dict[str, Any]:
        return self.answer


def test_a_range_is_what_was_asked_for() -> None:
    assert DropBucket(S3(b"0123456789"), "theirs").ranges(FILE).read(0, 10) == b"0123456789"


def test_a_service_that_knows_no_ranges_is_refused_unread() -> None:
    """What it gives is no part of the file, and may have no end."""
    s3 = S3(bytes(100))
    with pytest.raises(BucketRefusedError):
        DropBucket(s3, "theirs").ranges(FILE).read(50, 10)
    assert s3.body.closed or s3.body.tell() == 0


def test_a_service_that_knows_no_conditions_gives_no_other_file() -> None:
    with pytest.raises(ObjectChangedError):
        DropBucket(S3(b"0123456789", '"another"'), "theirs").ranges(FILE).read(0, 10)
