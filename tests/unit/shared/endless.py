"""S3 listings that never end, from a server on loopback, over a guarded client."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from functions.shared.buckets.customer import CustomerBucket
from functions.shared.egress.egress_filter import EgressFilter
from functions.shared.egress.s3 import Timeouts, filtered_s3_client
from functions.shared.secret_text import SecretText
from tests.unit.shared.hostile_server import Hostile, answering, http

_tokens = count()


@contextmanager
def bucket_that_answers(
    script: Callable[[bytes], Iterable[bytes]], read_seconds: float = 2
) -> Iterator[tuple[CustomerBucket, Hostile]]:
    """A customer's bucket whose requests are answered as `script` says."""
    secret = SecretText("x")
    with answering(script) as server:
        endpoint = f"http://127.0.0.1:{server.port}"
        timeouts = Timeouts(2, read_seconds)
        client = filtered_s3_client(EgressFilter(True), "us-east-1", endpoint, secret, secret, timeouts)
        yield CustomerBucket(client, "logs"), server


def page(entries: bytes = b"") -> bytes:
    """One page of a listing, and not the last."""
    text = (
        b'<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated>'
        b"<NextContinuationToken>%d</NextContinuationToken>%b</ListBucketResult>" % (next(_tokens), entries)
    )
    return http(f"Content-Length: {len(text)}", "Content-Type: application/xml") + text


def entries(keys: int, key_bytes: int) -> bytes:
    """So many objects of a page."""
    one = (
        b"<Contents><Key>staged/%b</Key><LastModified>2026-11-23T00:00:00.000Z</LastModified>"
        b"<ETag>&quot;e&quot;</ETag><Size>1</Size></Contents>" % (b"k" * key_bytes)
    )
    return one * keys


def list_all(keys: int, key_bytes: int) -> list[Any]:
    """What becomes of a listing of such pages: how many objects, and what ended it. For tests.measured."""
    found = 0
    with bucket_that_answers(lambda _: [page(entries(keys, key_bytes))]) as (bucket, _server):
        try:
            for _ in bucket.under("staged/"):
                found += 1
        except Exception as fault:  # noqa: BLE001 - its name is the result
            return [found, f"{type(fault).__name__} {fault}"]
    return [found, "ended"]
