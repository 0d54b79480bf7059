"""Clients of AWS: made one at a time, however many threads need their first."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import boto3
import pytest

from functions.shared.aws_client import client


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
