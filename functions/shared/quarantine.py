"""Quarantine: rows that ClickHouse rejected, stored under their tenant.

One document per staged object with rejected rows: `quarantine/v1/tenant=<id>/<object id>.ndjson.zst`, a zstd
frame whose first line is a header with reason, source and positions. Its other lines are the rows as staged.
"""

from datetime import date, datetime

import msgspec
from backports import zstd
from msgspec import Struct, field

from functions.shared.errors import PermanentError
from functions.shared.frames import MAX_WINDOW_LOG, DecodedTooLargeError, decoded
from functions.shared.tenancy import TenantId, quarantine_prefix

SUFFIX = ".ndjson.zst"

MAX_DECODED_BYTES = 128 * 1024 * 1024
"""The rows of one staged object."""

MAX_ROWS = 1_000_000
"""The limit for a staged object. A row is a Python object: empty rows would take forty times their bytes."""

MAX_HEADER_BYTES = 16 * 1024 * 1024
"""A position for each of a million rows."""

HEADER_STEP_BYTES = 64 * 1024

MAX_ID_CHARACTERS = 256
"""Ten times an id's length; for keys over 1,024 S3 fails with an error that looks like an outage."""


class QuarantineHeader(Struct):
    """`positions`: the rows' indexes in the object `source`, from 0. `engine_code`: ClickHouse's error code.

    `rows`: how many lines follow. `expires_on`: the last day on which the rows are kept.
    """

    reason: str
    engine_code: int
    source: str
    batch_id: str
    positions: list[int]
    rows: int
    expires_on: date
    quarantined_at: datetime = field(name="set_aside_at")


def document_key(tenant: TenantId, document_id: str) -> str:
    """The key of the document with this id; an id is letters and digits."""
    if not _is_id(document_id):
        raise PermanentError("a quarantine id is letters and digits")
    return f"{quarantine_prefix(tenant)}{document_id}{SUFFIX}"


def document_id_of(name: str) -> str | None:
    """The id of the document called `name` in its tenant's folder; None when the name is no document's."""
    document_id = name.removesuffix(SUFFIX)
    return document_id if name.endswith(SUFFIX) and _is_id(document_id) else None


def _is_id(text: str) -> bool:
    return text.isalnum() and text.isascii() and len(text) <= MAX_ID_CHARACTERS


def pack(header: QuarantineHeader, rows: list[bytes]) -> bytes:
    """Build the document: header and rows."""
    return zstd.compress(b"\n".join([msgspec.json.encode(header), *rows]) + b"\n", 3)


def header_of(document: bytes) -> QuarantineHeader:
    """The header alone, decoding only the start of the document.

    Raises
    ------
    PermanentError: `pack` did not make it.
    """
    step = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: MAX_WINDOW_LOG})
    try:
        pieces = [step.decompress(document, HEADER_STEP_BYTES)]
        size_bytes = len(pieces[0])
        while b"\n" not in pieces[-1] and not (step.eof or step.needs_input):
            if size_bytes > MAX_HEADER_BYTES:
                break
            pieces.append(step.decompress(b"", HEADER_STEP_BYTES))
            size_bytes += len(pieces[-1])
        return msgspec.json.decode(b"".join(pieces).partition(b"\n")[0], type=QuarantineHeader)
    except (zstd.ZstdError, msgspec.MsgspecError, UnicodeDecodeError):
        raise PermanentError("not a quarantine document") from None


def unpack(document: bytes) -> tuple[QuarantineHeader, list[bytes]]:
    """Header and rows of a document made by `pack`.

    Raises
    ------
    PermanentError: `pack` did not make it.
    DecodedTooLargeError: larger than any document of `pack`.
    """
    try:
        first, rows = _lines(decoded(document, MAX_DECODED_BYTES))
        return msgspec.json.decode(first, type=QuarantineHeader), rows
    except (zstd.ZstdError, msgspec.MsgspecError, UnicodeDecodeError):
        raise PermanentError("not a quarantine document") from None


def _lines(text: bytes) -> tuple[bytes, list[bytes]]:
    """The first line of `text`, and all other non-empty lines; they are counted before they are split.

    Raises
    ------
    DecodedTooLargeError
    """
    ends_at = text.find(b"\n")
    if (ends_at if ends_at >= 0 else len(text)) > MAX_HEADER_BYTES:
        raise DecodedTooLargeError("the header is too long")
    if text.count(b"\n") > MAX_ROWS + 1:
        raise DecodedTooLargeError("the document holds too many rows")
    lines = text.split(b"\n")
    return lines[0], [line for line in lines[1:] if line]
