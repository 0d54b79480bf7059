"""All our stores that can hold personal data, searched for texts that must not be there."""

import json
from collections.abc import Iterator

from backports import zstd

from infra.topology import BUCKETS, QUEUES, TABLES
from local.naming import physical, queue_url
from tests.integration.stack import RunningStack

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def found_in(stack: RunningStack, texts: list[str]) -> list[str]:
    """Where any of `texts` is: `<place>: <text>`, empty when nowhere."""
    return [
        f"{place}: {text}"
        for place, content in everything(stack)
        for text in texts
        if text.encode() in content or json.dumps(text)[1:-1].encode() in content
    ]


def everything(stack: RunningStack) -> Iterator[tuple[str, bytes]]:
    """Each thing we hold, as a place and its bytes."""
    yield from _items(stack)
    yield from _objects(stack)
    yield from _messages(stack)
    yield from _mails(stack)
    yield from _logs(stack)
    yield from _rows(stack)


def _items(stack: RunningStack) -> Iterator[tuple[str, bytes]]:
    dynamodb = stack.aws("dynamodb")
    for table in TABLES:
        for page in dynamodb.get_paginator("scan").paginate(TableName=physical(table.name)):
            for item in page["Items"]:
                yield f"table {table.name}", repr(item).encode()


def _objects(stack: RunningStack) -> Iterator[tuple[str, bytes]]:
    s3 = stack.aws("s3")
    for bucket in BUCKETS:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=physical(bucket.name)):
            for each in page.get("Contents", ()):
                body: bytes = s3.get_object(Bucket=physical(bucket.name), Key=each["Key"])["Body"].read()
                plain = zstd.decompress(body) if body.startswith(ZSTD_MAGIC) else body
                yield f"bucket {bucket.name}", each["Key"].encode() + b"\0" + plain


def _messages(stack: RunningStack) -> Iterator[tuple[str, bytes]]:
    """What a receive shows, put back at once; a consumer's message is seen by it first or by us."""
    sqs = stack.aws("sqs")
    for queue in QUEUES:
        for name in (queue.name, f"{queue.name}-dead"):
            url = queue_url(name, stack.aws_endpoint)
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            for message in answer.get("Messages", ()):
                yield f"queue {name}", json.dumps(message).encode()


def _mails(stack: RunningStack) -> Iterator[tuple[str, bytes]]:
    with stack.client() as client:
        for mail in client.get(stack.mail).json():
            yield "mail", json.dumps(mail).encode()


def _logs(stack: RunningStack) -> Iterator[tuple[str, bytes]]:
    for file in stack.logs.iterdir():
        yield f"log {file.name}", file.read_bytes()


def _rows(stack: RunningStack) -> Iterator[tuple[str, bytes]]:
    """Of each of our tables."""
    for table in stack.rows("SELECT name FROM system.tables WHERE database = 'astralog'"):
        for row in stack.rows("SELECT * FROM astralog.{table:Identifier}", table=table["name"]):
            yield "rows", json.dumps(row, ensure_ascii=False).encode()
