"""The load to compare with makes as many requests to the local AWS as planned, and none to the service."""

import threading
import time
from itertools import count

import boto3
import httpx
import pytest

from bench.children import child
from local.naming import CREDENTIALS, REGION
from tests.fairness.neutral_requests import (
    CALIBRATIONS,
    DYNAMODB_READS,
    DYNAMODB_WRITES,
    NAME,
    S3_READS,
    S3_WRITES,
    SQS,
    WARM_UPS,
    kind_of,
    read_aws_usage,
    repeat_by,
    request_costs,
    requests_by_kind,
)
from tests.fairness.profile import Schedule


def steady(rate: float) -> Schedule:
    return Schedule((1.0,), (rate,))


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("GetItem", DYNAMODB_READS),
        ("TransactWriteItems", DYNAMODB_WRITES),
        ("ReceiveMessage", SQS),
        ("S3 GET", S3_READS),
        ("S3 DELETE", S3_WRITES),
        ("GetSecretValue", None),
    ],
)
def test_each_operation_that_a_file_needs_has_a_kind(operation: str, kind: str | None) -> None:
    assert kind_of(operation) == kind


def test_each_kind_of_request_is_counted_as_that_kind_and_touches_nothing_of_the_service() -> None:
    with child("local.aws") as aws:
        endpoint = f"http://127.0.0.1:{aws.port}"
        requests = requests_by_kind(endpoint)
        for kind, request in requests.items():
            before = read_aws_usage(endpoint)
            for _ in range(4):
                request()
            after = read_aws_usage(endpoint)
            for each in after.requests:
                assert after.requests[each] - before.requests.get(each, 0) == (4 if each == kind else 0)
            assert after.seconds[kind] > before.seconds.get(kind, 0.0)
        costs = request_costs(endpoint)
        assert costs.keys() == requests.keys(), "a second phase finds its table there"
        assert all(0 < each.aws_seconds < 1 and 0 < each.caller_seconds < 1 for each in costs.values())
        dynamodb = boto3.client(
            "dynamodb",
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        assert dynamodb.list_tables()["TableNames"] == [NAME]
        assert (
            httpx.get(f"{endpoint}/_requests").json()["UpdateItem"]["requests"] == 4 + WARM_UPS + CALIBRATIONS
        )


@pytest.mark.parametrize("request_seconds", [0.0, 0.15])
def test_requests_are_made_at_their_rate_and_a_slow_answer_is_made_up_for(request_seconds: float) -> None:
    """Ten a second for ten seconds; the third answer takes longer than the time to the next request."""

    class Clock(threading.Event):
        now, made = 0.0, 0

        def wait(self, timeout: float | None = None) -> bool:
            self.now += timeout or 0
            return self.is_set()

        def request(self) -> None:
            self.made += 1
            self.now += request_seconds if self.made == 3 else 0

    clock = Clock()
    made = repeat_by(steady(10.0), clock.request, 10.0, clock, count(1), lambda: clock.now)
    assert made == clock.made
    assert 99 <= made <= 101


def test_requests_end_when_they_are_asked_to() -> None:
    ended = threading.Event()
    assert repeat_by(steady(10.0), ended.set, 60.0, ended, count(1)) == 1


def test_threads_share_the_requests_of_a_schedule_and_make_each_at_its_own_time() -> None:
    """Not all of them at once, as threads with a schedule of their own would."""
    made_at, ended, numbers = list[float](), threading.Event(), count(1)
    began = time.monotonic()
    arguments = (steady(40.0), lambda: made_at.append(time.monotonic() - began), 0.5, ended, numbers)
    threads = [threading.Thread(target=repeat_by, args=arguments) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made_at) == 20
    assert all(at >= number / 40 - 0.001 for number, at in enumerate(sorted(made_at), start=1))
