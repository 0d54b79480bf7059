"""Write reproducible zips (same content, same bytes) without files that functions never load."""

import shutil
import threading
import zipfile
import zlib
from concurrent.futures import Future
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

NEVER_LOADED = ("**/__pycache__", "*/tests", "*/test", "*/examples", "bin")
"""Folders at the root of a zip that no function imports. `bin` has scripts with the builder's Python path."""

INSTALLERS_NOTES = (
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    "*.dist-info/uv_*.json",
    ".lock",
)
"""Installation metadata. METADATA stays, for `importlib.metadata`; licences stay too."""

TYPING_ONLY = ("**/*.pyi", "**/py.typed")

NOT_OF_PARQUET = (
    "pyarrow/include", "pyarrow/includes", "pyarrow/src", "pyarrow/libarrow_flight*", "pyarrow/libarrow_s3*",
    "pyarrow/_flight*", "pyarrow/_s3fs*", "pyarrow/libarrow_python_flight*", "pyarrow/libarrow_python*.so",
    "pyarrow/libarrow_python*.so.*.*.*",
    "pyarrow/*.pxi", "pyarrow/*.pyx", "pyarrow/*.pxd",
)  # fmt: skip
"""Parts of pyarrow that reading a Parquet file does not load, and duplicate libraries: 60 MB."""

AWS_SERVICES = frozenset(
    {"cloudwatch", "cognito-idp", "dynamodb", "kms", "s3", "secretsmanager", "sesv2", "sqs", "sts"}
)
"""Services that functions call through boto3, which ships the descriptions of 400 others: 25 MB."""

# The earliest timestamp that a zip can store, in every time zone.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o644 << 16
_UNIX = 3


def prune(tree: Path) -> None:
    """Delete from `tree` the files that functions never load."""
    for pattern in NEVER_LOADED:
        for folder in list(tree.glob(pattern)):
            shutil.rmtree(folder)
    for pattern in (*INSTALLERS_NOTES, *TYPING_ONLY):
        for file in list(tree.glob(pattern)):
            file.unlink()
    for pattern in NOT_OF_PARQUET:
        for each in list(tree.glob(pattern)):
            shutil.rmtree(each) if each.is_dir() else each.unlink()
    for service in (tree / "botocore" / "data").glob("*/"):
        if service.name not in AWS_SERVICES:
            shutil.rmtree(service)


def write_zip(tree: Path, target: Path) -> None:
    """Zip the files of `tree`, sorted by name, with one date and mode.

    `target` is replaced in one step.
    """
    unfinished = target.with_suffix(".unfinished")
    files = sorted((file.relative_to(tree).as_posix(), file) for file in tree.rglob("*") if file.is_file())
    with unfinished.open("wb") as opened, zipfile.ZipFile(opened, "w") as archive:
        for name, file in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _READABLE
            entry.compress_type = zipfile.ZIP_DEFLATED
            _write(archive, opened, entry, file.read_bytes())
    unfinished.replace(target)


def _write(archive: zipfile.ZipFile, file: BinaryIO, entry: zipfile.ZipInfo, content: bytes) -> None:
    """As `ZipFile.writestr`, which has no form for content that is deflated already.

    `file` is the one that `archive` writes to.
    """
    deflated = _deflated(content)
    entry.CRC, entry.file_size, entry.compress_size = zlib.crc32(content), len(content), len(deflated)
    entry.header_offset = file.tell()
    file.write(entry.FileHeader(zip64=False) + deflated)
    archive.start_dir = file.tell()
    archive.filelist.append(entry)
    archive.NameToInfo[entry.filename] = entry


_made: dict[bytes, Future[bytes]] = {}
_lock = threading.Lock()


def _deflated(content: bytes) -> bytes:
    """Each content is deflated once in this process: two thirds of it, packages, are in several zips."""
    digest = sha256(content).digest()
    with _lock:
        is_first = digest not in _made
        result = _made.setdefault(digest, Future())
    if is_first:
        compressor = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
        result.set_result(compressor.compress(content) + compressor.flush())
    return result.result()


def unpacked_bytes(tree: Path) -> int:
    """The sum of the files' sizes, which Lambda limits to 250 MB."""
    return sum(file.stat().st_size for file in tree.rglob("*") if file.is_file())
