"""Clients of AWS: made one at a time, whichever thread needs one first; links that lead to the bucket."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from functions.shared.aws_client import client
from functions.shared.exports.archives import Archives


def test_clients_are_made_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session of boto3 that makes two at once fails with a KeyError now and then."""
    making = Lock()

    def make(service: str, **_: Any) -> str:
        assert making.acquire(blocking=False), "another thread is at it"
        time.sleep(0.01)
        making.release()
        return service

    monkeypatch.setattr(boto3, "client", make)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(client, ["sqs", "kms"] * 4)) == ["sqs", "kms"] * 4


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "eu-south-1"])
def test_a_link_to_a_copy_leads_to_the_buckets_own_region(
    monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    """As those to put files do: the address without a region answers 400 for younger regions."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, region)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    link = urlsplit(Archives("exports").link("exports/v1/tenant=acme/x.zip"))
    assert link.hostname == f"exports.s3.{region}.amazonaws.com"
    assert parse_qs(link.query)["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
