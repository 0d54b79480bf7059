"""The drop bucket, ours or a customer's, through a given boto3 S3 client.

Ours uses boto3, too, instead of obstore: the sender chooses a file's key, and obstore does not support keys
with an empty part or a dot for one.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from functions.shared.buckets.contract import (
    BucketError,
    BucketRefusedError,
    ExpectedObject,
    ListedObject,
    ObjectChangedError,
    same_object,
)
from functions.shared.buckets.customer import (
    NOT_DONE,
    CustomerBucket,
    code_of,
    etag_of_answer,
    failure,
    status_of,
)
from functions.shared.errors import PermanentError


class FileGoneError(PermanentError):
    """The file no longer exists."""


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """A file in a notification or listing of S3: key (URL-decoded), ETag without quotes, size in bytes."""

    bucket: str
    key: str
    etag: str
    size_bytes: int


class DropBucket:
    """The files of the bucket `name`. Its errors are those of functions.shared.buckets.contract.Bucket.

    `max_url_seconds`: how long a presigned URL is valid at most, as its credentials may end before it.
    """

    def __init__(self, client: Any, name: str, max_url_seconds: int = 7 * 86_400) -> None:
        self._client = client
        self._bucket = CustomerBucket(client, name)
        self.name = name
        self.max_url_seconds = max_url_seconds

    def ranges(self, file: DroppedFile) -> "FileRanges":
        """The bytes of `file`, and not of a file that replaced it."""
        return FileRanges(self._client, file)

    def delete(self, file: DroppedFile) -> None:
        """Delete `file`, unless another has replaced it; a missing file is not an error."""
        if self._bucket.etag_of(file.key) != file.etag:
            return
        try:
            self._client.delete_object(Bucket=self.name, Key=file.key)
        except NOT_DONE as fault:
            if code_of(fault) != "NoSuchKey":
                raise failure(fault) from None

    def under(self, prefix: str, after: str = "") -> Iterator[ListedObject]:
        """All files whose key begins with the folder `prefix`, in key order; only keys after `after`."""
        return self._bucket.under(prefix, after)

    def url_to_put(self, key: str, size_bytes: int, seconds: int) -> str:
        """A presigned URL to put one new file of exactly that size, valid for `seconds`.

        The sender has to send `Content-Length` and `If-None-Match: *`: both are signed.
        """
        asked = {"Bucket": self.name, "Key": key, "ContentLength": size_bytes, "IfNoneMatch": "*"}
        url: str = self._client.generate_presigned_url("put_object", Params=asked, ExpiresIn=seconds)
        return url


class FileRanges:
    """Any byte range of one file; thread-safe."""

    def __init__(self, client: Any, file: DroppedFile) -> None:
        self._client = client
        self._file = file
        self.size_bytes = file.size_bytes

    def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start` on; fewer only at the file's end.

        Raises
        ------
        FileGoneError, ObjectChangedError, BucketUnavailableError, BucketRefusedError
        """
        try:
            answer = self._client.get_object(
                Bucket=self._file.bucket,
                Key=self._file.key,
                IfMatch=f'"{self._file.etag}"',
                Range=f"bytes={start}-{start + length - 1}",
            )
            with closing(answer["Body"]) as body:
                same_object(ExpectedObject(self._file.etag, length), etag_of_answer(answer), 0)
                if answer["ContentLength"] > length:
                    raise BucketRefusedError("RangeIgnored")
                read: bytes = body.read()
        except (BucketError, ObjectChangedError):
            raise
        except NOT_DONE as fault:
            if status_of(fault) == 412:
                raise ObjectChangedError("another file is in the place of this one") from None
            if code_of(fault) == "NoSuchKey":
                raise FileGoneError("the file is gone") from None
            raise failure(fault) from None
        return read
