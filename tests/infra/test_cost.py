"""The bill: it counts what the templates have, its prices are dated, and the documents quote it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from functions.query.limits.price import PRICE
from functions.shared.tables.ledger import COMMITS_A_PAGE
from functions.sync import plan as planned
from infra.choices import from_context
from infra.cost import __main__ as command
from infra.cost.bill import Line, PriceList, as_text, notes, price_list, total
from infra.cost.idle import BY_THE_PIECE, Templates, alarm_metrics, empty_receives, idle_lines, idle_requests
from infra.cost.per_gb import SIZES, per_gb
from infra.cost.usage import (
    BATCHES_A_PAGE,
    CUSTOM_METRICS,
    ENVIRONMENTS,
    MAX_OBJECTS,
    Traffic,
    objects_a_batch,
    usage_lines,
)
from infra.topology import FUNCTIONS, SECRETS
from tests.infra import synthesized

PAGE = Path("docs/cost.md").read_text()

MOST_IDLE_DOLLARS = 6.00
MOST_RESOURCES = {"compute": 320, "data": 100}
"""CloudFormation allows 500 in a stack."""

NOTHING: dict[str, str] = {}

SEARCH_PRICE = "clickhouse_cpu_hour"

EXAMPLE = Traffic(gb_day=100, events_per_request=100)

PRICED = {
    *BY_THE_PIECE,
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Scheduler::Schedule",
}

FREE_WHEN_IDLE = {
    "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Authorizer", "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Stage", "AWS::CloudFront::CachePolicy",
    "AWS::CloudFront::Distribution", "AWS::CloudFront::Function", "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::OriginRequestPolicy", "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient", "AWS::DynamoDB::Table",
    "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::Lambda::Function",
    "AWS::Lambda::Permission", "AWS::Lambda::Version", "AWS::Logs::LogGroup", "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy", "AWS::SES::ConfigurationSet", "AWS::SES::ConfigurationSetEventDestination",
    "AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy", "Custom::Trigger",
}  # fmt: skip
"""Charged by request or by stored data, or not at all."""


@pytest.fixture(scope="module")
def prices() -> PriceList:
    return price_list()


@pytest.fixture(scope="module")
def stacks(templates: synthesized.Templates) -> Templates:
    return (templates.data, templates.compute)


@pytest.fixture(scope="module")
def idle(stacks: Templates, prices: PriceList) -> list[Line]:
    return list(idle_lines(stacks, from_context(NOTHING.get), prices))


def test_an_idle_installation_costs_at_most_six_dollars_a_month(idle: list[Line]) -> None:
    assert total(idle) <= MOST_IDLE_DOLLARS


@pytest.mark.parametrize("stack", MOST_RESOURCES)
def test_a_stack_leaves_room_below_the_limit_of_cloudformation(
    templates: synthesized.Templates, stack: str
) -> None:
    assert len(getattr(templates, stack)["Resources"]) <= MOST_RESOURCES[stack]


def test_what_is_billed_by_the_piece_is_counted_in_the_templates(
    templates: synthesized.Templates, idle: list[Line]
) -> None:
    quantities = {line.price_name: line.quantity for line in idle}

    assert quantities["alarm_metric"] == len(templates.resources("AWS::CloudWatch::Alarm"))
    assert quantities["kms_key"] == len(templates.resources("AWS::KMS::Key"))
    assert quantities["secret"] == len(SECRETS)
    schedules = templates.properties("AWS::Scheduler::Schedule")
    assert quantities["schedule_invocation"] == sum(_runs(each["ScheduleExpression"]) for each in schedules)


def test_every_type_of_resource_has_a_price_or_is_free_when_idle(templates: synthesized.Templates) -> None:
    """A new type must not add a charge that the bill does not have."""
    both = (templates.data, templates.compute)
    types = {each["Type"] for template in both for each in template["Resources"].values()}

    assert types <= PRICED | FREE_WHEN_IDLE
    assert not PRICED & FREE_WHEN_IDLE


def test_each_metric_of_a_metric_math_alarm_is_charged() -> None:
    parts = [{"Id": "a", "MetricStat": {}}, {"Id": "b", "MetricStat": {}}, {"Id": "c", "Expression": "a + b"}]

    assert alarm_metrics(_with("AWS::CloudWatch::Alarm", {"Metrics": parts})) == 2
    assert alarm_metrics(_with("AWS::CloudWatch::Alarm", {"MetricName": "Errors"})) == 1


def test_a_queue_with_a_limit_of_concurrency_is_polled_with_five_connections(stacks: Templates) -> None:
    kind = "AWS::Lambda::EventSourceMapping"
    limited = empty_receives(_with(kind, {"ScalingConfig": {"MaximumConcurrency": 10}}))
    unlimited = empty_receives(_with(kind, {}))

    assert (limited, unlimited) == (648_000, 259_200)
    assert empty_receives(stacks) == 4 * limited + unlimited


def test_each_scheduled_function_has_the_requests_of_its_idle_run() -> None:
    assert idle_requests().keys() == {spec.name for spec in FUNCTIONS if spec.schedule_minutes}
    kinds = {kind for each in idle_requests().values() for kind in each}
    assert kinds == {"reads", "writes", "tables", "lists", "queues"}


def test_a_waf_and_a_nat_gateway_are_in_the_bill_of_those_who_choose_them(prices: PriceList) -> None:
    acl = _with("AWS::WAFv2::WebACL", {"Rules": [{}, {}]})
    gateway = _with("AWS::EC2::NatGateway", {})
    choices = from_context(NOTHING.get)
    without = total(idle_lines(({"Resources": {}},), choices, prices))

    assert total(idle_lines(acl, choices, prices)) - without == pytest.approx(5 + 2 * 1)
    assert total(idle_lines(gateway, choices, prices)) - without == pytest.approx(720 * 0.045)


def test_every_price_is_dated_sourced_and_used(idle: list[Line], prices: PriceList) -> None:
    lines = [*idle, *usage_lines(EXAMPLE, prices)]
    apart = {price for _, price, _ in BY_THE_PIECE.values()} | {"waf_rule", SEARCH_PRICE}

    assert prices.day.year >= 2026
    assert {each.source for each in prices.prices.values()} <= {"second-hand", "memory"}
    assert {line.price_name for line in lines} | apart == prices.prices.keys()


def test_a_search_costs_the_price_of_the_list(prices: PriceList) -> None:
    """Functions do not import infra, so the estimate of a search has the price a second time."""
    listed = prices.prices[SEARCH_PRICE]
    assert (listed.usd, listed.per) == (PRICE.usd_a_cpu_hour, 1)


def test_larger_requests_cost_less_for_the_same_logs(prices: PriceList) -> None:
    dollars = [
        total(usage_lines(Traffic(gb_day=100, events_per_request=count), prices))
        for count in (100, 500, 1000)
    ]

    assert dollars == sorted(dollars, reverse=True)
    twice = total(usage_lines(Traffic(gb_day=200, events_per_request=100), prices))
    fixed = CUSTOM_METRICS * 0.30 + ENVIRONMENTS * 10_800 * 0.05 / 10_000
    shared = _batches(EXAMPLE, prices, *OF_BATCHES)
    assert twice - fixed - _batches(Traffic(200, 100), prices, *OF_BATCHES) == pytest.approx(
        2 * (dollars[0] - fixed - shared)
    )


def test_more_traffic_makes_larger_batches_which_cost_less_an_object(prices: PriceList) -> None:
    sizes = [objects_a_batch(Traffic(gb_day, 100)) for gb_day in (1, 100, 200, 100_000)]
    assert sizes == [1, 11, 22, MAX_OBJECTS] == [*sizes[:3], planned.MAX_OBJECTS]
    assert BATCHES_A_PAGE == COMMITS_A_PAGE
    assert _batches(Traffic(200, 100), prices, WRITES) < 1.5 * _batches(EXAMPLE, prices, WRITES)


def test_the_performance_page_has_the_dollars_for_a_gb_that_the_command_prints(prices: PriceList) -> None:
    page = Path("docs/performance.md").read_text()
    assert "\n".join(per_gb(100, 421, prices)) in page
    assert [f"{objects_a_batch(Traffic(100, size))}" for size in SIZES] == ["110", "11", "2", "1", "1"]
    text = " ".join(page.split())
    assert "batches of 110, 11, 2, 1 and 1 objects" in text
    busy = [Traffic(1_000, size) for size in SIZES]
    *first, last = (f"{total(usage_lines(each, prices)) / each.gb_month:.3f}" for each in busy)
    assert f"a GB costs {', '.join(first)} and {last} dollars" in text


WRITES = "DynamoDB: batches, and their metering"
OF_BATCHES = (WRITES, "stored claims and batches", "their point-in-time recovery")


def _batches(traffic: Traffic, prices: PriceList, *items: str) -> float:
    """Dollars a month for what the ledger writes, or keeps, for each batch."""
    found = [line for line in usage_lines(traffic, prices) if line.item in items]
    assert len(found) == len(items)
    return total(found)


def test_the_page_has_the_tables_that_the_command_prints(idle: list[Line], prices: PriceList) -> None:
    printed = "\n".join(as_text("Idle", idle))
    example = "\n".join(as_text("Traffic", usage_lines(EXAMPLE, prices)))

    assert printed in PAGE
    assert "\n".join(notes(idle)) in PAGE
    assert example in PAGE
    assert f"**${total(idle):.2f} a month**" in PAGE
    for events in (100, 1000):
        traffic = Traffic(EXAMPLE.gb_day, events)
        assert f"${total(usage_lines(traffic, prices)) / traffic.gb_month:.3f} a GB" in PAGE
    assert f"list prices of {prices.day} in {prices.region}" in " ".join(PAGE.split())


def test_the_page_says_which_prices_are_from_memory(prices: PriceList) -> None:
    for source in ("second-hand", "memory"):
        ((named,),) = [re.findall(rf"^- {source}: (.+(?:\n  .+)*)$", PAGE, re.MULTILINE)]
        assert sorted(re.findall(r"`(\w+)`", named)) == sorted(
            name for name, each in prices.prices.items() if each.source == source
        )


def test_the_readme_and_the_deployment_page_quote_the_bill(idle: list[Line]) -> None:
    quoted = f"${total(idle):.0f} a month"

    assert f"costs {quoted}" in " ".join(Path("README.md").read_text().split())
    assert f"about {quoted}" in " ".join(Path("docs/deployment.md").read_text().split())


def test_the_pages_say_what_alarms_for_each_function_cost(prices: PriceList) -> None:
    more = (2 * len(FUNCTIONS) - 2) * prices.prices["alarm_metric"].usd

    for page in ("docs/deployment.md", "docs/adr/0033-alarms-and-idle-cost.md"):
        assert f"${more:.2f}" in Path(page).read_text()


def test_the_command_prints_the_bill_as_json(
    idle: list[Line], prices: PriceList, monkeypatch: pytest.MonkeyPatch, stacks: Templates,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(command, "templates", lambda _context: stacks)

    command.main(["--json", "--gb-day", "100", "--events-per-request", "100"])
    bill: dict[str, Any] = json.loads(capsys.readouterr().out)
    command.main(["--idle"])
    page = capsys.readouterr().out

    assert bill["idle_usd_a_month"] == pytest.approx(total(idle))
    lines = [*bill["idle"], *bill["usage"]]
    assert sum(line["usd_a_month"] for line in lines) == pytest.approx(bill["usd_a_month"])
    assert [line["item"] for line in bill["usage"]] == [line.item for line in usage_lines(EXAMPLE, prices)]
    assert f"**{total(idle):.2f}**" in page
    assert "Traffic" not in page


def _with(kind: str, properties: dict[str, Any]) -> Templates:
    return ({"Resources": {"one": {"Type": kind, "Properties": properties}}},)


def _runs(expression: str) -> float:
    number, unit = expression.removeprefix("rate(").removesuffix(")").split()
    minutes = int(number) * {"minute": 1, "hour": 60, "day": 1440}[unit.removesuffix("s")]
    return 30 * 24 * 60 / minutes
