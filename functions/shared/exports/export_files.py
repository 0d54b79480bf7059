"""The objects of an export of search results in one bucket, and how they are deleted."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.shared.buckets.contract import Bucket
from functions.shared.exports.archives import Archives
from functions.shared.exports.search_export import SearchExport


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """The bucket with an export's objects, through both of its clients."""

    archives: Archives
    bucket: Bucket

    def keys(self, export: SearchExport) -> list[str]:
        """The keys of all objects of `export`."""
        return [each.key for each in self.bucket.under(export.folder)]

    def delete(self, export: SearchExport) -> None:
        """Abort its upload and delete its objects; what is already gone is not an error."""
        if export.progress.upload_id:
            self.archives.abort(export.object_key, export.progress.upload_id)
        self.bucket.delete(self.keys(export))

    def delete_rests(self, export: SearchExport) -> None:
        """Delete all of its objects but the file."""
        keys: Sequence[str] = [key for key in self.keys(export) if key != export.object_key]
        self.bucket.delete(keys)
