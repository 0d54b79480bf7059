"""The bill of an installation without traffic: what the templates create, and what schedules do."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.choices import Choices
from infra.cost.bill import Line, PriceList
from infra.topology import FUNCTIONS, Function

Templates = tuple[Mapping[str, Any], ...]
"""The stacks as CloudFormation gets them."""

HOURS = 30 * 24
MINUTES = HOURS * 60

RECEIVES_A_MINUTE = 3
"""The receives of one connection: an empty receive waits for 20 seconds."""

CONNECTIONS = 5
CONNECTIONS_WITHOUT_LIMIT = 2
"""Lambda polls an idle queue with five connections, or with two if the mapping has no maximum concurrency."""

RUN_SECONDS = 0.05
"""Billed duration of a run that finds nothing to do: an assumption. Locally a run takes 10 to 40 ms."""

COLD_START_SECONDS = 1.5
COLD_AFTER_MINUTES = 10
"""A function that is scheduled this rarely starts anew for each run: an assumption."""

LOG_BYTES = 370
"""Log bytes of a run: our line, and 26 bytes that CloudWatch adds to it."""

KEY_CACHE_MINUTES = 5
"""DynamoDB keeps a table's key for a role, and asks KMS again after five minutes without a request."""

ZIPS_GB = 0.17
LOG_GROUP_DAYS = 14

IDLE_RUNS = Path(__file__).with_name("idle_runs.toml")

BY_THE_PIECE = {
    "AWS::KMS::Key": ("KMS keys", "kms_key", 1),
    "AWS::WAFv2::WebACL": ("web ACLs", "web_acl", 1),
    "AWS::EC2::NatGateway": ("NAT gateways", "nat_gateway_hour", HOURS),
    "AWS::EC2::EIP": ("public addresses", "public_address_hour", HOURS),
}
"""Type of resource -> item, price, and units a month of one."""


def idle_lines(templates: Templates, choices: Choices, prices: PriceList) -> Iterator[Line]:
    """The lines of a month without a request."""
    yield prices.line("alarms, by metrics", alarm_metrics(templates), "alarm_metric")
    for kind, (item, price, units) in BY_THE_PIECE.items():
        if found := resources(templates, kind):
            yield prices.line(item, len(found) * units, price)
    for acl in resources(templates, "AWS::WAFv2::WebACL"):
        yield prices.line("rules of a web ACL", len(acl["Properties"].get("Rules", ())), "waf_rule")
    yield prices.line("secrets", len(set(choices.secret_names.values())), "secret")
    yield prices.line("empty receives of polled queues", empty_receives(templates), "sqs_request")
    yield from run_lines(prices)
    yield prices.line("zips in the bootstrap bucket", ZIPS_GB, "s3_storage")


def run_lines(prices: PriceList) -> Iterator[Line]:
    """The lines of scheduled runs that find nothing to do."""
    requests = idle_requests()
    runs = {spec.name: runs_of(spec) for spec in FUNCTIONS if spec.schedule_minutes}

    def asked(kind: str) -> float:
        return sum(count * requests[name].get(kind, 0) for name, count in runs.items())

    every = sum(runs.values())
    log_gb = every * LOG_BYTES / 1e9
    yield prices.line("scheduled runs", every, "schedule_invocation")
    yield prices.line("their Lambda requests", every, "lambda_request")
    yield prices.line("their Lambda duration", gb_seconds(), "lambda_gb_second")
    yield prices.line("their log lines", log_gb, "log_ingestion")
    yield prices.line("their stored log lines", log_gb * LOG_GROUP_DAYS / 30, "log_storage")
    yield prices.line("their DynamoDB reads", asked("reads"), "dynamodb_read")
    yield prices.line("their DynamoDB writes", asked("writes"), "dynamodb_write")
    yield prices.line("their KMS requests, for tables", key_requests(requests), "kms_request")
    yield prices.line("their S3 listings", asked("lists"), "s3_write")
    yield prices.line("their SQS requests", asked("queues"), "sqs_request")


def resources(templates: Templates, kind: str) -> list[Mapping[str, Any]]:
    """All resources of one CloudFormation type."""
    return [each for template in templates for each in template["Resources"].values() if each["Type"] == kind]


def alarm_metrics(templates: Templates) -> int:
    """Metrics that alarms watch; each of a metric-math expression counts."""
    watched = (each["Properties"] for each in resources(templates, "AWS::CloudWatch::Alarm"))
    return sum(
        sum("MetricStat" in metric for metric in each["Metrics"]) if "Metrics" in each else 1
        for each in watched
    )


def empty_receives(templates: Templates) -> float:
    """Requests with which Lambda polls idle queues."""
    mappings = resources(templates, "AWS::Lambda::EventSourceMapping")
    connections = sum(
        CONNECTIONS if "ScalingConfig" in each["Properties"] else CONNECTIONS_WITHOUT_LIMIT
        for each in mappings
    )
    return connections * RECEIVES_A_MINUTE * MINUTES


def runs_of(spec: Function) -> float:
    """Scheduled runs a month."""
    return MINUTES / spec.schedule_minutes if spec.schedule_minutes else 0


def gb_seconds() -> float:
    """Billed memory of all scheduled runs."""
    return sum(
        runs_of(spec)
        * spec.memory_mb
        / 1024
        * (RUN_SECONDS + (COLD_START_SECONDS if spec.schedule_minutes >= COLD_AFTER_MINUTES else 0))
        for spec in FUNCTIONS
        if spec.schedule_minutes
    )


def key_requests(requests: Mapping[str, Mapping[str, int]]) -> float:
    """KMS requests of DynamoDB: one for each table of a run that comes after the time of its cache."""
    return sum(
        runs_of(spec) * requests[spec.name].get("tables", 0)
        for spec in FUNCTIONS
        if spec.schedule_minutes and spec.schedule_minutes >= KEY_CACHE_MINUTES
    )


def idle_requests() -> dict[str, dict[str, int]]:
    """Function -> requests of one idle run by kind."""
    return tomllib.loads(IDLE_RUNS.read_text())
