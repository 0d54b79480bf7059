"""The deployed stacks as an operator sees them: outputs, resources, logs, metrics, queues."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from infra.topology import FUNCTIONS
from rehearsal.site import REGION, Site

LAMBDA_NAMESPACE = "AWS/Lambda"


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a deployed stack."""

    stack: str
    kind: str
    logical_id: str
    physical_id: str


class Cloud:
    """Reads the deployed stacks `stacks` with the account's own credentials.

    Functions go by their topology name, found by their handler; nothing here knows a generated name.
    """

    def __init__(self, site: Site, stacks: tuple[str, ...]) -> None:
        self._site = site
        self.stacks = stacks
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A boto3 client of the account's root."""
        if service not in self._clients:
            self._clients[service] = self.client_with(service, "test", "test")
        return self._clients[service]

    def client_with(self, service: str, key_id: str, secret: str) -> Any:
        """A boto3 client with given credentials."""
        config = Config(
            retries={"total_max_attempts": 2}, read_timeout=60, s3={"addressing_style": "path"},
            max_pool_connections=20,
        )  # fmt: skip
        return boto3.client(
            service,
            endpoint_url=self._site.aws,
            region_name=REGION,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=config,
        )

    @cached_property
    def outputs(self) -> dict[str, str]:
        """All outputs of all stacks, by their names."""
        described = self.client("cloudformation").describe_stacks()["Stacks"]
        return {
            each["OutputKey"]: each["OutputValue"]
            for stack in described
            if stack["StackName"] in self.stacks
            for each in stack.get("Outputs", ())
        }

    @cached_property
    def resources(self) -> list[Resource]:
        """All resources of all stacks."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        return [
            Resource(stack, each["ResourceType"], each["LogicalResourceId"], each["PhysicalResourceId"])
            for stack in self.stacks
            for page in pages.paginate(StackName=stack)
            for each in page["StackResourceSummaries"]
        ]

    def named(self, kind: str) -> list[str]:
        """The physical names of all resources of a type, such as AWS::SQS::Queue."""
        return [each.physical_id for each in self.resources if each.kind == kind]

    @cached_property
    def functions(self) -> dict[str, dict[str, Any]]:
        """Topology name -> configuration, of all our functions."""
        by_handler = {spec.handler: spec.name for spec in FUNCTIONS}
        described = [
            self.client("lambda").get_function_configuration(FunctionName=name)
            for name in self.named("AWS::Lambda::Function")
        ]
        return {by_handler[each["Handler"]]: each for each in described if each["Handler"] in by_handler}

    def bucket(self, part: str) -> str:
        """The bucket whose logical id begins with `part`."""
        return next(
            each.physical_id
            for each in self.resources
            if each.kind == "AWS::S3::Bucket" and each.logical_id.startswith(part)
        )

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """The keys of all objects in a bucket."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def log_lines(self, function: str, since_ms: int = 0) -> Iterator[tuple[int, str]]:
        """Time in milliseconds and text of a function's log lines."""
        group = self.functions[function].get("LoggingConfig", {}).get("LogGroup")
        pages = self.client("logs").get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=group, startTime=since_ms):
            for event in page["events"]:
                for line in event["message"].splitlines():
                    yield event["timestamp"], line

    def invocations(self) -> dict[str, int]:
        """Topology name -> ended invocations."""
        return {name: round(count) for name, count in self.sums_of("Invocations").items()}

    def errors(self) -> dict[str, int]:
        """Topology name -> failed invocations, of functions that have any."""
        return {name: round(count) for name, count in self.sums_of("Errors").items() if count}

    def sums_of(self, metric: str) -> dict[str, float]:
        """Topology name -> the sum of one of Lambda's metrics, over the whole run."""
        ids = {f"m{number}": name for number, name in enumerate(self.functions)}
        queries = [
            {
                "Id": key,
                "MetricStat": {
                    "Metric": {
                        "Namespace": LAMBDA_NAMESPACE,
                        "MetricName": metric,
                        "Dimensions": [
                            {"Name": "FunctionName", "Value": self.functions[name]["FunctionName"]}
                        ],
                    },
                    "Period": 3600,
                    "Stat": "Sum",
                },
            }
            for key, name in ids.items()
        ]
        now = time.time()
        answer = self.client("cloudwatch").get_metric_data(
            MetricDataQueries=queries, StartTime=now - 86_400, EndTime=now + 600
        )
        return {ids[each["Id"]]: float(sum(each["Values"])) for each in answer["MetricDataResults"]}

    def dead_letters(self) -> dict[str, list[str]]:
        """Dead-letter queue -> bodies of its messages, of queues that have any."""
        sqs, found = self.client("sqs"), {}
        for name in self.dead_letter_queues:
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            if bodies := [each["Body"] for each in messages.get("Messages", ())]:
                found[name] = bodies
        return found

    @cached_property
    def dead_letter_queues(self) -> list[str]:
        """The names of the queues that another one names in its redrive policy."""
        sqs, names = self.client("sqs"), []
        for url in self.named("AWS::SQS::Queue"):
            name = url.rpartition("/")[2]
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
            if text := policy.get("Attributes", {}).get("RedrivePolicy"):
                names.append(json.loads(text)["deadLetterTargetArn"].rpartition(":")[2])
        return names
