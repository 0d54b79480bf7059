"""Requests to the local AWS that touch nothing of the service: of each kind as much work as an attack caused.

    python -m tests.fairness.neutral_requests <AWS endpoint> <Schedules as JSON, by kind, as JSON> <seconds>

One process stands for S3, SQS and DynamoDB here, which share nothing in AWS. What a second tenant notices
beside these requests, to a table, bucket and queue of their own, it notices because of that process.
"""

import json
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.naming import CREDENTIALS, REGION
from local.request_counts import PATH
from tests.fairness.profile import RequestCost, Schedule
from tests.fairness.waiting_process import ready_to_begin

NAME = "neutral-load"
THREADS_A_KIND = 4
DYNAMODB_READS, DYNAMODB_WRITES, S3_READS, S3_WRITES, SQS = (
    "DynamoDB reads",
    "DynamoDB writes",
    "S3 reads",
    "S3 writes",
    "SQS",
)
_READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "DescribeTable"})
_WRITES = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "BatchExecuteStatement"}
)
_MESSAGES = frozenset(
    {"SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch"}
)

WARM_UPS, CALIBRATIONS = 5, 40


@dataclass(frozen=True, slots=True)
class AwsUsage:
    """What the local AWS has answered, by kind: requests, and its processor time for them in seconds."""

    requests: Mapping[str, float]
    seconds: Mapping[str, float]


def read_aws_usage(aws_endpoint: str) -> AwsUsage:
    """Requests to other services are not counted."""
    requests, seconds = Counter[str](), defaultdict[str, float](float)
    for operation, found in httpx.get(aws_endpoint + PATH, timeout=30).json().items():
        if kind := kind_of(operation):
            requests[kind] += found["requests"]
            seconds[kind] += found["seconds"]
    return AwsUsage(requests, seconds)


def request_costs(aws_endpoint: str) -> dict[str, RequestCost]:
    """What one request of each kind costs on this machine now, on average."""
    costs = dict[str, RequestCost]()
    for kind, request in requests_by_kind(aws_endpoint).items():
        for _ in range(WARM_UPS):
            request()
        before, began = read_aws_usage(aws_endpoint), time.thread_time()
        for _ in range(CALIBRATIONS):
            request()
        caller_seconds, after = time.thread_time() - began, read_aws_usage(aws_endpoint)
        of_aws = after.seconds[kind] - before.seconds[kind]
        costs[kind] = RequestCost(of_aws / CALIBRATIONS, caller_seconds / CALIBRATIONS)
    return costs


def kind_of(operation: str) -> str | None:
    """The kind of an operation of local.request_counts."""
    if operation.startswith("S3 "):
        return S3_READS if operation in ("S3 GET", "S3 HEAD") else S3_WRITES
    kinds = ((DYNAMODB_READS, _READS), (DYNAMODB_WRITES, _WRITES), (SQS, _MESSAGES))
    return next((kind for kind, operations in kinds if operation in operations), None)


def repeat_by(
    schedule: Schedule,
    request: Callable[[], object],
    seconds: float,
    ended: threading.Event,
    numbers: Iterator[int],
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Make the requests of the schedule until `ended`, `seconds` at most; how many were made.

    `numbers` counts them from 1. Threads that share it make each request once, and at its own time: requests
    of several threads at the same moment would delay others more than an attack's do. What was missed is
    made up for, so that a slow answer does not lessen the load.
    """
    began, made = clock(), 0
    for number in numbers:
        at = schedule.at(number)
        while not ended.is_set() and (passed := clock() - began) < min(at, seconds):
            ended.wait(max(0.001, min(at, seconds) - passed))
        if ended.is_set() or at > seconds:
            break
        request()
        made += 1
    return made


def requests_by_kind(aws_endpoint: str) -> dict[str, Callable[[], object]]:
    """One request of each kind, to a table, a bucket and a queue that are made for it."""
    config = Config(max_pool_connections=5 * THREADS_A_KIND, retries={"total_max_attempts": 1})

    def client(service: str) -> Any:
        return boto3.client(service, endpoint_url=aws_endpoint, region_name=REGION, config=config, **_keys())

    dynamodb, s3, sqs = client("dynamodb"), client("s3"), client("sqs")
    key = {"id": {"S": "a"}}
    _create_table(dynamodb)
    s3.create_bucket(Bucket=NAME)
    s3.put_object(Bucket=NAME, Key="a", Body=b"a" * 1000)
    messages = _Messages(sqs)

    def put() -> None:
        """To a key of the thread: moto fails to answer about an object that another request replaces."""
        s3.put_object(Bucket=NAME, Key=f"of-{threading.get_ident()}", Body=b"a" * 1000)

    return {
        DYNAMODB_READS: lambda: dynamodb.get_item(TableName=NAME, Key=key),
        DYNAMODB_WRITES: lambda: dynamodb.update_item(
            TableName=NAME,
            Key=key,
            UpdateExpression="ADD n :one",
            ConditionExpression="attribute_not_exists(n) OR n < :most",
            ExpressionAttributeValues={":one": {"N": "1"}, ":most": {"N": "1000000000"}},
        ),
        S3_READS: lambda: s3.get_object(Bucket=NAME, Key="a")["Body"].read(),
        S3_WRITES: put,
        SQS: messages.request,
    }


class _Messages(threading.local):
    """A queue for each thread. Messages are sent, received and deleted, so it stays short."""

    def __init__(self, sqs: Any) -> None:
        self._sqs = sqs
        self._url = sqs.create_queue(QueueName=f"{NAME}-{threading.get_ident()}")["QueueUrl"]
        self._is_sent = False
        self._received: list[str] = []

    def request(self) -> None:
        """The next of the three requests."""
        if self._received:
            handle = self._received.pop()
            entries = [{"Id": "0", "ReceiptHandle": handle}]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
        elif self._is_sent:
            self._is_sent = False
            answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=1, WaitTimeSeconds=0)
            self._received = [each["ReceiptHandle"] for each in answer.get("Messages", ())]
        else:
            self._sqs.send_message(QueueUrl=self._url, MessageBody="a" * 500)
            self._is_sent = True


def _keys() -> dict[str, str]:
    return {
        "aws_access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    }


def _create_table(dynamodb: Any) -> None:
    try:
        dynamodb.create_table(
            TableName=NAME,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    except dynamodb.exceptions.ResourceInUseException:
        return


def _tolerant(request: Callable[[], object]) -> Callable[[], None]:
    def made() -> None:
        try:
            request()
        except (BotoCoreError, ClientError) as fault:
            print(f"neutral load: {fault}", file=sys.stderr, flush=True)

    return made


def main() -> None:
    aws_endpoint, schedules, seconds = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
    requests = {kind: _tolerant(each) for kind, each in requests_by_kind(aws_endpoint).items()}
    ended = ready_to_begin()
    threads = [
        threading.Thread(target=repeat_by, args=(schedule, requests[kind], seconds, ended, numbers))
        for kind, schedule, numbers in (
            (kind, Schedule.from_json(each), count(1)) for kind, each in schedules.items()
        )
        for _ in range(THREADS_A_KIND)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


if __name__ == "__main__":
    main()
