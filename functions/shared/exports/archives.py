"""Archives and exported files: uploaded in parts that survive the end of a run, fetched by links that expire.

This uses S3's multipart upload through boto3: obstore, which everything else here uses, loses an upload when
its process ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from functions.shared.aws_client import asked, s3_client
from functions.shared.buckets.contract import whole_folder
from functions.shared.errors import PermanentError, RetryableError

LINK_SECONDS = 3600
"""How long a link is valid; each request creates a new one."""

READ_SECONDS = 30
"""A part of some megabytes may take a while."""

_NO_UPLOAD = "NoSuchUpload"
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class ArchivesUnavailableError(RetryableError):
    """S3 failed or did not answer."""


class NoUploadError(PermanentError):
    """The upload was aborted, or it is complete."""


class _MissingError(Exception):
    """No such object."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upload that is under way or was left behind; `begun_at` in Unix seconds."""

    key: str
    upload_id: str
    begun_at: float


class Archives:
    """The bucket of archives. Every method raises ArchivesUnavailableError when S3 fails.

    Parameters
    ----------
    s3: a boto3 client that signs with Signature Version 4; None for one that is made on first use.
    link_seconds: how long a link is valid at most, as its credentials may end before that.
    """

    def __init__(self, bucket: str, s3: Any = None, link_seconds: int = LINK_SECONDS) -> None:
        self._bucket = bucket
        self._s3 = s3
        self.link_seconds = link_seconds

    def begin(self, key: str, file_name: str, content_type: str = "application/zip") -> str:
        """Begin an upload; its id. Browsers save the archive as `file_name`."""
        answer = self._call(
            "create_multipart_upload",
            Key=key,
            ContentType=content_type,
            ContentDisposition=f'attachment; filename="{file_name}"',
        )
        upload_id: str = answer["UploadId"]
        return upload_id

    def put_part(self, key: str, upload_id: str, number: int, body: bytes) -> str:
        """Upload a part, the first being 1; its ETag. The same number again replaces the part.

        Raises
        ------
        NoUploadError
        """
        answer = self._call("upload_part", Key=key, UploadId=upload_id, PartNumber=number, Body=body)
        etag: str = answer["ETag"]
        return etag

    def complete(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        """Complete the upload: its parts become an object. Repeating it changes nothing.

        Raises
        ------
        NoUploadError: and there is no object either.
        """
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
        try:
            self._call(
                "complete_multipart_upload", Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
            )
        except NoUploadError:
            if not self.has(key):
                raise

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload, with all of its parts; one that is already gone is not an error."""
        try:
            self._call("abort_multipart_upload", Key=key, UploadId=upload_id)
        except NoUploadError:
            return

    def unfinished(self, prefix: str) -> list[Unfinished]:
        """The uploads below `prefix` that were begun and not completed: listings do not show their parts."""
        found: list[Unfinished] = []
        start: dict[str, str] = {}
        while True:
            page = self._call("list_multipart_uploads", Prefix=whole_folder(prefix), **start)
            found += [
                Unfinished(each["Key"], each["UploadId"], each["Initiated"].timestamp())
                for each in page.get("Uploads", ())
            ]
            if not page.get("IsTruncated"):
                return found
            start = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    def has(self, key: str) -> bool:
        try:
            self._call("head_object", Key=key)
        except _MissingError:
            return False
        return True

    def link(self, key: str) -> str:
        """A URL that fetches the archive for `link_seconds` without a key.

        It expires earlier if the credentials of the role that signs it do.
        """
        link: str = self._client().generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=self.link_seconds
        )
        return link

    def _call(self, operation: str, **parameters: Any) -> Any:
        client = self._client()
        return asked(lambda: getattr(client, operation)(Bucket=self._bucket, **parameters), _failure)

    def _client(self) -> Any:
        if self._s3 is None:
            self._s3 = s3_client(READ_SECONDS)
        return self._s3


def _failure(code: str) -> Exception:
    if code == _NO_UPLOAD:
        return NoUploadError("there is no such upload")
    if code in _MISSING:
        return _MissingError()
    return ArchivesUnavailableError(f"S3: {code}")
