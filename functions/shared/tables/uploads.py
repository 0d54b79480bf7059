"""The table `uploads`: uploads, files, counters, slots and settings of each account."""

from pynamodb.attributes import UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute, SlotLease
from functions.shared.tables.item import Item


class UploadItem(Item):
    """`upload#<id>`: functions.uploads.files.Upload."""

    tenant_id = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    upload_id = UnicodeAttribute()
    key = UnicodeAttribute()
    size_bytes = IntegerAttribute()
    project_id = UnicodeAttribute()
    originals = UnicodeAttribute()
    created_at = IntegerAttribute()
    until = IntegerAttribute(null=True)
    file = UnicodeAttribute()
    forget_at = IntegerAttribute()


class FileItem(Item):
    """`file#<digest>`: functions.uploads.files.File."""

    tenant_id = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    upload_id = UnicodeAttribute()
    bucket = UnicodeAttribute()
    file_key = UnicodeAttribute()
    etag = UnicodeAttribute()
    size_bytes = IntegerAttribute()
    received_at = UnicodeAttribute()
    project_id = UnicodeAttribute()
    retention_days = IntegerAttribute()
    originals = UnicodeAttribute()
    state = UnicodeAttribute()
    compression = UnicodeAttribute(null=True)
    format = UnicodeAttribute(null=True)
    rows = IntegerAttribute(null=True)
    raw_bytes = IntegerAttribute(null=True)
    refused = IntegerAttribute(null=True)
    refusals = UnicodeAttribute()
    bytes_read = IntegerAttribute(null=True)
    parts = IntegerAttribute(null=True)
    checkpoint = UnicodeAttribute(null=True)
    attempts = IntegerAttribute(null=True)
    skip_ms = IntegerAttribute(null=True)
    code = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    updated_at = IntegerAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    lease_until = IntegerAttribute(null=True)
    kept_on = UnicodeAttribute(null=True)
    loaded = IntegerAttribute(null=True)
    forget_at = IntegerAttribute()


class UploadCounterItem(Item):
    """`staged#…`, `open#…`, `kept#…`, `rate#…`: files and bytes of a period."""

    tenant_id = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    files = IntegerAttribute(attr_name="counted_files")
    size_bytes = IntegerAttribute(attr_name="counted_bytes")
    forget_at = IntegerAttribute()


class UploadSlotsItem(Item):
    """`slots`: the leases of the invocations that read files of the account; times in Unix seconds."""

    tenant_id = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    slot_0_until = IntegerAttribute(null=True)
    slot_0_owner = UnicodeAttribute(null=True)
    slot_1_until = IntegerAttribute(null=True)
    slot_1_owner = UnicodeAttribute(null=True)
    forget_at = IntegerAttribute(null=True)


SLOT_LEASES = (
    SlotLease(UploadSlotsItem.slot_0_until, UploadSlotsItem.slot_0_owner),
    SlotLease(UploadSlotsItem.slot_1_until, UploadSlotsItem.slot_1_owner),
)


class BacklogItem(Item):
    """`backlog#<id>`: files that wait for a slot, and who reads them; `backlog`: when to look at them again.

    `files`: JSON. Times are Unix seconds.
    """

    tenant_id = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    files = UnicodeAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    until = IntegerAttribute(null=True)
    wakes_at = IntegerAttribute(null=True)
    waits_until = IntegerAttribute(null=True)
    forget_at = IntegerAttribute(null=True)


class UploadSettingsItem(Item):
    """`settings`: what happens to originals. `sweep`: the object key after which the next sweep continues."""

    tenant_id = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    originals = UnicodeAttribute(null=True)
    key = UnicodeAttribute(null=True)
    forget_at = IntegerAttribute(null=True)
