"""Files that were put into our bucket and are still there, as a place of an erasure.

boto3, and every key: a file is called whatever its sender chose, and obstore knows no key with an empty part;
what looks like a folder is a name too, and a name may be somebody's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from functions.privacy.erasure.place import Time
from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId, dropin_prefix


class DropsUnavailableError(RetryableError):
    """S3 did not do what it was asked to."""


class Drops:
    """The bucket that files are put into; both methods raise DropsUnavailableError when S3 fails.

    Parameters
    ----------
    s3: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, bucket: str, s3: Any = None) -> None:
        self._bucket = bucket
        self._s3 = s3

    def pages(self, prefix: str) -> Iterator[list[str]]:
        """All keys below `prefix`, up to 1,000 at a time, which is what one deletion takes."""
        start: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=prefix, **start)
            yield [each["Key"] for each in page.get("Contents", ())]
            if not page.get("IsTruncated"):
                return
            start = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, keys: list[str]) -> None:
        """Delete at most 1,000 objects; what is gone already is no fault."""
        told = {"Objects": [{"Key": each} for each in keys], "Quiet": True}
        errors = self._call("delete_objects", Delete=told).get("Errors")
        if errors:
            raise DropsUnavailableError(f"S3: {errors[0].get('Code', '')}")

    def _call(self, operation: str, **parameters: Any) -> Any:
        self._s3 = self._s3 or client("s3")
        return asked(lambda: getattr(self._s3, operation)(Bucket=self._bucket, **parameters), _fault)


@dataclass(frozen=True, slots=True)
class DroppedFiles:
    """All files of `tenant`: not read yet, kept, or of no use to anybody."""

    drops: Drops
    tenant: TenantId
    time: Time

    def count(self) -> int:
        return sum(map(len, self._pages()))

    def remove(self) -> str | None:
        for keys in self._pages():
            if keys:
                self.time.need(30)
                self.drops.delete(keys)
        return None

    def _pages(self) -> Iterator[list[str]]:
        return self.drops.pages(dropin_prefix(self.tenant))


def _fault(code: str) -> Exception:
    return DropsUnavailableError(f"S3: {code}")
