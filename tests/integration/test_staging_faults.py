"""When S3 does not store a batch, the sender gets no 2xx; when its answer is lost, nothing doubles."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions.ingest.handler import Ingest, answer_to
from functions.ingest.rate_limit import RateLimit
from functions.ingest.staging_writer import StagingWriter
from functions.shared.buckets.platform import open_bucket
from functions.shared.http import Answer, answering
from infra.topology import HTTP_TIMEOUT_SECONDS
from local.naming import aws_variables
from tests.integration.faulty_s3 import FaultyS3, faulty_s3
from tests.integration.http_events import drain_event

BODY = json.dumps([{"message": "hello"}] * 5).encode()

Send = Callable[..., Answer]


@pytest.fixture
def s3() -> Iterator[FaultyS3]:
    with faulty_s3() as running:
        yield running


@pytest.fixture
def send(s3: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Send:
    return _sender(s3.url, monkeypatch)


def _sender(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Send:
    for name, value in aws_variables(endpoint).items():
        monkeypatch.setenv(name, value)
    ingest = Ingest(StagingWriter(open_bucket("staging")), RateLimit())
    handler = answering(lambda event: answer_to(event, ingest))

    def send(**headers: str) -> Answer:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return handler(drain_event(BODY, named), None)

    return send


def refused_in_time(send: Send, **headers: str) -> None:
    began = time.monotonic()
    answer = send(**headers)
    assert time.monotonic() - began < HTTP_TIMEOUT_SECONDS
    body: dict[str, Any] = json.loads(answer["body"])
    assert (answer["statusCode"], body["code"]) == (503, "staging_unavailable")
    assert body["error"]
    assert body["request_id"] == "request-1"
    assert int(answer["headers"]["retry-after"]) <= 2


@pytest.mark.parametrize("fault", ["silent", "reset", "cut", 500, 503, 403, 404, 409])
def test_what_s3_does_not_take_is_answered_503_in_time(s3: FaultyS3, send: Send, fault: str | int) -> None:
    s3.faults = [fault]
    refused_in_time(send)
    assert s3.requests
    assert s3.staged() == []
    s3.faults = []
    assert send()["statusCode"] == 202
    assert len(s3.staged()) == 1


@pytest.mark.parametrize(
    ("before", "headers"), [([], {}), ([""], {"idempotency_key": "key"})], ids=["new-key", "idempotent"]
)
def test_a_conflict_does_not_count_as_a_stored_object(
    s3: FaultyS3, send: Send, before: list[str | int], headers: dict[str, str]
) -> None:
    s3.faults = [*before, "conflict"]
    refused_in_time(send, **headers)
    assert s3.staged() == []
    s3.faults = []
    assert send(**headers)["statusCode"] == 202
    assert len(s3.staged()) == 1


def test_an_s3_that_is_not_there_is_answered_503_in_time(
    s3: FaultyS3, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send()["statusCode"] == 202
    s3.server_close()
    refused_in_time(_sender(s3.url, monkeypatch))


@pytest.mark.parametrize(
    "faults", [["silent"], [200, "silent"], [412, "silent"], [412, 500], ["conflict"]], ids=str
)
def test_an_s3_that_fails_halfway_through_an_idempotent_request_is_answered_503_in_time(
    s3: FaultyS3, send: Send, faults: list[str | int]
) -> None:
    s3.faults = faults
    refused_in_time(send, idempotency_key="key")
    assert s3.staged() == []


@pytest.mark.parametrize("fault", [500, 503, "reset", "lost"])
def test_one_fault_of_s3_is_overcome_by_itself(s3: FaultyS3, send: Send, fault: str | int) -> None:
    s3.faults = [fault, ""]
    assert send()["statusCode"] == 202
    assert len(s3.staged()) == 1


@pytest.mark.parametrize("lost", [1, 2, 3, 4])
def test_whichever_answer_of_s3_is_lost_a_retry_meets_its_own_object(
    s3: FaultyS3, send: Send, lost: int
) -> None:
    s3.faults = [*["lost"] * lost, ""]
    statuses = [send(idempotency_key="key")["statusCode"] for _ in range(5)]
    assert statuses[-1] == 202
    assert set(statuses) <= {202, 503}
    assert len(s3.staged()) == 1
