"""Where a text is found, in everything that holds something: for erasures that say nothing is left.

The engine's files are read as they lie on disk, each compressed block taken apart: what a query does not
find any more may be there all the same.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lz4.block
from backports import zstd

from infra.topology import BUCKETS, QUEUES, TABLES

TRIES = 100

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_CHECKSUM_BYTES, _HEADER_BYTES = 16, 9
_NONE, _LZ4, _ZSTD, _MULTIPLE, _DELTA = 0x02, 0x82, 0x90, 0x91, 0x92


def places_of(texts: list[str], aws: "Aws", engine: Path) -> dict[str, set[str]]:
    """Each of `texts` -> the places where it is: `table people`, `engine files` and so on."""
    found: dict[str, set[str]] = {text: set() for text in texts}
    wanted = [(text, text.encode()) for text in texts]
    for place, content in _everything(aws, engine):
        for text, encoded in wanted:
            if encoded in content:
                found[text].add(place)
    return found


class Aws:
    """Clients for what is searched. `mails`: what was sent."""

    def __init__(self, dynamodb: Any, s3: Any, sqs: Any, cognito: Any, pool: str) -> None:
        self.dynamodb, self.s3, self.sqs, self.cognito, self.pool = dynamodb, s3, sqs, cognito, pool
        self.mails: list[str] = []


def _everything(aws: Aws, engine: Path) -> Iterator[tuple[str, bytes]]:
    yield from _items(aws.dynamodb)
    yield from _objects(aws.s3)
    yield from _messages(aws.sqs)
    yield from (("mail", mail.encode()) for mail in aws.mails)
    for page in aws.cognito.get_paginator("list_users").paginate(UserPoolId=aws.pool):
        yield from (("sign-ins", repr(user).encode()) for user in page["Users"])
    for content in _contents(engine):
        yield "engine files", content
        yield from (("engine files", block) for block in blocks(content))


def _contents(engine: Path) -> list[bytes]:
    """Of all files at one moment: where the engine removed or renamed some meanwhile, all are read again."""
    for _ in range(TRIES):
        try:
            return [file.read_bytes() for file in engine.rglob("*") if file.is_file()]
        except FileNotFoundError:
            continue
    raise AssertionError("the engine never stands still")


def _items(dynamodb: Any) -> Iterator[tuple[str, bytes]]:
    for table in TABLES:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table.name):
            for item in page["Items"]:
                yield f"table {table.name}", repr(item).encode()


def _objects(s3: Any) -> Iterator[tuple[str, bytes]]:
    for bucket in BUCKETS:
        for upload in s3.list_multipart_uploads(Bucket=bucket.name).get("Uploads", ()):
            yield f"uploads of {bucket.name}", upload["Key"].encode()
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket.name):
            for each in page.get("Contents", ()):
                body: bytes = s3.get_object(Bucket=bucket.name, Key=each["Key"])["Body"].read()
                prefix = each["Key"].partition("/")[0]
                yield f"bucket {bucket.name}/{prefix}", each["Key"].encode() + b"\0" + plain(body)


def plain(body: bytes) -> bytes:
    """Zstd frames and ZIP archives, taken apart."""
    if body.startswith(_ZSTD_MAGIC):
        return zstd.decompress(body)
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return b"\0".join(archive.read(name) for name in archive.namelist())
    return body


def _messages(sqs: Any) -> Iterator[tuple[str, bytes]]:
    for queue in QUEUES:
        url = sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1).get(
            "Messages"
        ):
            yield from ((f"queue {queue.name}", repr(message).encode()) for message in messages)


def blocks(content: bytes) -> Iterator[bytes]:
    """The decompressed blocks of one of ClickHouse's files; of another kind of file none."""
    at = 0
    while at + _CHECKSUM_BYTES + _HEADER_BYTES <= len(content):
        start = at + _CHECKSUM_BYTES
        method, packed, size = struct.unpack_from("<BII", content, start)
        if not _HEADER_BYTES <= packed <= len(content) - start or size > 1 << 28:
            return
        try:
            yield _decoded(method, content[start + _HEADER_BYTES : start + packed], size)
        except (ValueError, zlib.error, zstd.ZstdError, lz4.block.LZ4BlockError, IndexError):
            return
        at = start + packed


def _decoded(method: int, data: bytes, size: int) -> bytes:
    match method:
        case 0x02:
            return data
        case 0x82:
            return bytes(lz4.block.decompress(data, uncompressed_size=size))
        case 0x90:
            return zstd.decompress(data)
        case 0x91:
            return _of_several(data)
        case _:
            raise ValueError("no text is in blocks of this codec")


def _of_several(data: bytes) -> bytes:
    """Codecs one after another: undone from the last to the first that is no transformation of numbers."""
    count = data[0]
    methods = data[1 : 1 + count]
    rest = data[1 + count :]
    for method in reversed(methods):
        packed, size = struct.unpack_from("<xII", rest)
        if method not in (_NONE, _LZ4, _ZSTD):
            return rest
        rest = _decoded(method, rest[_HEADER_BYTES:packed], size)
    return rest
