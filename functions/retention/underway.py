"""What of a tenant's logs is staged or set aside, as an erasure sees it."""

from datetime import datetime

from msgspec import structs

from functions.retention.erase import STILL_BEING_STAGED
from functions.retention.subject import Subject
from functions.shared.buckets.contract import Bucket, Listed
from functions.shared.quarantine import pack, unpack
from functions.shared.staging import ID_CHARACTERS, StagedKey, is_staged
from functions.shared.tenancy import TenantId, quarantine_prefix, staged_prefix


class UnderwayObjects:
    """The staged objects and quarantine documents of one bucket; errors are those of the bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def waiting(self, tenant: TenantId, until: datetime) -> int:
        """How many staged objects may hold rows of `tenant` that were received before `until`."""
        return sum(_may_hold(each, until) for each in self._bucket.under(staged_prefix(tenant)))

    def forget_quarantined(self, subject: Subject) -> int:
        """Take the subject's rows out of the quarantine; return how many."""
        documents = [each.key for each in self._bucket.under(quarantine_prefix(subject.tenant))]
        return sum(self._without(subject, key) for key in documents)

    def _without(self, subject: Subject, key: str) -> int:
        found = self._bucket.get(key)
        if found is None:
            return 0
        header, rows = unpack(bytes(found.body))
        kept = [at for at, row in enumerate(rows) if not subject.is_told_of_by(row)]
        if not kept:
            self._bucket.delete([key])
        elif len(kept) < len(rows):
            positions = [header.positions[at] for at in kept]
            shorter = structs.replace(header, positions=positions, rows=len(kept))
            self._bucket.replace(key, pack(shorter, [rows[at] for at in kept]), found.etag)
        return len(rows) - len(kept)


def _may_hold(each: Listed, until: datetime) -> bool:
    """By S3's clock, or, for rows that were set aside and staged anew, by the day of their receipt."""
    if not is_staged(each.key):
        return False
    key = StagedKey.parse(each.key)
    anew = len(key.object_id) > ID_CHARACTERS and key.day <= until.date()
    return anew or each.modified_at <= until + STILL_BEING_STAGED
