"""Reject new files of an account whose logs are rejected now: ten with as many requests as one.

Such files need nothing but their entries in the register, so a flood of them must not cost more than a flood
of files that wait. Known files, and files that another invocation records at this moment, are left to
functions.uploads.file_processor.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from functions.shared.buckets.drop_bucket import DroppedFile
from functions.uploads.counters import KeptOriginals, OpenUploads, hour_of
from functions.uploads.file_place import FilePlace, announced_id, new_file, new_upload
from functions.uploads.files import File, Upload, digest_of
from functions.uploads.register import UploadRegister

Claim = tuple[File, Upload]


class RefusedFiles:
    """Rejects files; the parameters are those of FileProcessor."""

    def __init__(self, register: UploadRegister, open_uploads: OpenUploads, kept: KeptOriginals) -> None:
        self._register = register
        self._open_uploads = open_uploads
        self._kept = kept

    def reject(self, dropped: Sequence[DroppedFile], place: FilePlace) -> list[DroppedFile]:
        """Record the new files of `dropped` as failed with the refusal of `place`; return the others.

        In our bucket, their originals are counted as kept: `resume` reads them.

        Raises
        ------
        StoreUnavailableError: all of them may be recorded.
        """
        claims = self._claims(dropped, place)
        size_bytes = sum(file.dropped.size_bytes for file, _ in claims)
        if not claims:
            return list(dropped)
        day = ""
        if not place.is_theirs:
            day = self._kept.take(place.tenant, size_bytes, len(claims))
            if not day:
                return list(dropped)
        if not self._register.claim_all([(replace(file, kept_on=day), upload) for file, upload in claims]):
            if day:
                self._kept.release(place.tenant, size_bytes, day, len(claims))
            return list(dropped)
        self._release_announced(claims)
        rejected = {file.dropped for file, _ in claims}
        return [each for each in dropped if each not in rejected]

    def _claims(self, dropped: Sequence[DroppedFile], place: FilePlace) -> list[Claim]:
        """Each new file with its upload; of two files of one upload the first."""
        tenant, now = place.tenant, datetime.now(UTC)
        by_digest = {digest_of(tenant, each): each for each in dropped}
        known = self._register.files(tenant, list(by_digest))
        new = [each for digest, each in by_digest.items() if digest not in known]
        if not new:
            return []
        expected = {announced_id(each, place): each.key for each in reversed(new)}
        announced = self._register.all_waiting(tenant, expected)
        originals = self._register.originals(tenant) or place.originals
        claims: dict[str, Claim] = {}
        for each in new:
            upload = announced.get(announced_id(each, place))
            if upload is None or upload.key != each.key:
                upload = new_upload(each, place, now, originals)
            claims.setdefault(upload.upload_id, (new_file(each, upload, place, now), upload))
        return list(claims.values())

    def _release_announced(self, claims: Sequence[Claim]) -> None:
        """Stop counting the announced uploads as open, by the hour in which they are counted."""
        hours: defaultdict[int, list[Upload]] = defaultdict(list)
        for _, upload in claims:
            if upload.until is not None:
                hours[hour_of(upload.created_at)].append(upload)
        for uploads in hours.values():
            first = uploads[0]
            total_bytes = sum(each.size_bytes for each in uploads)
            self._open_uploads.release(first.tenant, total_bytes, first.created_at, len(uploads))
