"""The drop bucket, with every possible key: a name that ends in a slash is a file too."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from functions.shared.aws_client import asked, s3_client
from functions.shared.buckets.contract import BucketUnavailableError, ListedObject, whole_folder

DELETED_A_CALL = 1000
READ_SECONDS = 30


class FilesNotDeletedError(BucketUnavailableError):
    """S3 did not delete some of the files."""


class ErasableDropBucket:
    """Lists and deletes. Every method raises BucketUnavailableError when S3 fails.

    Parameters
    ----------
    s3: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, name: str, s3: Any = None) -> None:
        self._name = name
        self._s3 = s3

    def under(self, prefix: str) -> Iterator[ListedObject]:
        """All files whose key begins with `prefix`, which ends in a slash."""
        start: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=whole_folder(prefix), **start)
            for each in page.get("Contents", ()):
                yield ListedObject(each["Key"], each["ETag"].strip('"'), each["Size"], each["LastModified"])
            if not page.get("IsTruncated"):
                return
            start = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, keys: Sequence[str]) -> None:
        """Delete the files, however many; a missing file is not an error."""
        left = iter(keys)
        while some := list(islice(left, DELETED_A_CALL)):
            named = {"Objects": [{"Key": key} for key in some], "Quiet": True}
            if self._call("delete_objects", Delete=named).get("Errors"):
                raise FilesNotDeletedError("DeleteObjects")

    def _call(self, operation: str, **parameters: Any) -> Any:
        self._s3 = self._s3 or s3_client(READ_SECONDS)
        return asked(
            lambda: getattr(self._s3, operation)(Bucket=self._name, **parameters), BucketUnavailableError
        )
