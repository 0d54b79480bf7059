"""Each function of the topology is deployed as the topology says, and so is what triggers it."""

import json

import pytest

from infra import topology
from infra.topology import FUNCTIONS, Function
from tests.infra.synthesized import Templates

every_function = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)


@every_function
def test_a_function_has_the_topologys_size_and_machine(templates: Templates, spec: Function) -> None:
    deployed = templates.function(spec.handler)

    assert deployed["Runtime"] == topology.PYTHON
    assert deployed["Architectures"] == [topology.ARCHITECTURE]
    assert deployed["MemorySize"] == spec.memory_mb
    assert deployed["Timeout"] == spec.timeout_seconds


@every_function
def test_a_function_gets_the_topologys_settings_and_no_others(templates: Templates, spec: Function) -> None:
    variables = templates.function(spec.handler).get("Environment", {}).get("Variables", {})

    assert variables.keys() == {f"ASTRALOG_{name.upper()}" for name in spec.settings}
    for name, value in spec.settings.items():
        kind, _, resource = value.partition(":")
        given = variables[f"ASTRALOG_{name.upper()}"]
        if kind in ("bucket", "table", "queue"):
            assert templates.points_at(given) == templates.store(kind, resource)[0]
            # Functions ask SQS for the URL of a name, and it knows no queue that is called like a URL.
            assert kind != "queue" or "QueueName" in json.dumps(given)
        elif kind == "secret":
            assert given == f"astralog/{resource}"
        elif kind == "key":
            assert templates.points_at(given).startswith(resource)
        elif kind == "service" and resource in topology.SERVICES:
            assert given == topology.SERVICES[resource]
        elif kind == "identity":
            assert "Fn::ImportValue" in json.dumps(given)
        elif kind == "mail":
            assert templates.points_at(given).startswith(f"{resource}mailset")
        elif value == topology.API:
            assert templates.points_at(given) in templates.resources("AWS::ApiGatewayV2::Api")
        else:
            assert given == value


@every_function
def test_a_function_that_continues_through_its_own_queue_may_send_to_it(
    templates: Templates, spec: Function
) -> None:
    """Lambda takes what a function sends to its own queue for a loop, and ends it at the sixteenth turn."""
    continues = spec.source is not None and f"send:queue:{spec.source.queue}" in spec.grants
    allowed = templates.function(spec.handler).get("RecursiveLoop") == "Allow"
    assert allowed == continues


@every_function
def test_lambda_writes_lines_of_its_own_about_failed_invocations_only(
    templates: Templates, spec: Function
) -> None:
    """At an application level above INFO, Lambda would drop metrics: they have no level."""
    logging = templates.function(spec.handler)["LoggingConfig"]

    assert logging["LogFormat"] == "JSON"
    assert logging["SystemLogLevel"] == "WARN"
    assert logging["ApplicationLogLevel"] == "INFO"


@every_function
def test_a_functions_log_is_its_own_and_ends(templates: Templates, spec: Function) -> None:
    logging = templates.function(spec.handler)["LoggingConfig"]
    groups = templates.resources("AWS::Logs::LogGroup")

    assert groups[templates.points_at(logging["LogGroup"])]["Properties"]["RetentionInDays"] == 14


@every_function
def test_a_function_is_not_traced_and_reserves_nothing_of_an_account_of_unknown_size(
    templates: Templates, spec: Function
) -> None:
    """A new account may have 10 concurrent executions: each reservation would fail its deploy."""
    deployed = templates.function(spec.handler)

    assert "ReservedConcurrentExecutions" not in deployed
    assert "TracingConfig" not in deployed


@every_function
def test_in_an_account_of_1000_executions_a_function_reserves_what_the_topology_says(
    chosen: Templates, spec: Function
) -> None:
    deployed = chosen.function(spec.handler)

    assert deployed.get("ReservedConcurrentExecutions") == spec.reserved_concurrency


def test_what_all_logs_pass_through_and_what_needs_no_account_has_a_reservation() -> None:
    open_functions = {spec.name for spec in FUNCTIONS if not all(route.auth for route in spec.routes)}
    reserving = {spec.name: spec.reserved_concurrency for spec in FUNCTIONS if spec.reserved_concurrency}

    assert {topology.AUTHORIZER, "ingest", "sync", "sync-byoc", "tail"} | open_functions == reserving.keys()
    assert sum(reserving.values()) <= topology.RESERVABLE
    assert sum(reserving[name] for name in open_functions - {"ingest"}) <= topology.RESERVABLE / 10


def test_what_is_polled_for_a_function_is_never_more_than_it_may_run(chosen: Templates) -> None:
    """Lambda would throttle the rest, and a message throttled often enough becomes a dead letter."""
    for spec in FUNCTIONS:
        if spec.source and spec.reserved_concurrency:
            assert spec.source.max_concurrency
            assert spec.source.max_concurrency <= spec.reserved_concurrency
    assert len(chosen.properties("AWS::Lambda::EventSourceMapping")) == sum(
        spec.source is not None for spec in FUNCTIONS
    )


def test_nothing_runs_but_the_topology_and_what_starts_the_migration(templates: Templates) -> None:
    handlers = [each["Handler"] for each in templates.properties("AWS::Lambda::Function")]

    # The last one is CDK's own: it invokes `migrate` and sends the result to CloudFormation.
    assert sorted(handlers) == sorted([*(spec.handler for spec in FUNCTIONS), "__entrypoint__.handler"])


def test_queues_are_polled_as_the_topology_says(templates: Templates) -> None:
    wanted = {spec.handler: spec.source for spec in FUNCTIONS if spec.source}
    mappings = templates.properties("AWS::Lambda::EventSourceMapping")
    functions = templates.resources("AWS::Lambda::Function")

    assert len(mappings) == len(wanted)
    for mapping in mappings:
        handler = functions[templates.points_at(mapping["FunctionName"])]["Properties"]["Handler"]
        source = wanted[handler]
        assert templates.points_at(mapping["EventSourceArn"]) == templates.store("queue", source.queue)[0]
        assert mapping["BatchSize"] == source.batch_size
        assert mapping["MaximumBatchingWindowInSeconds"] == source.window_seconds
        assert mapping.get("ScalingConfig", {}).get("MaximumConcurrency") == source.max_concurrency
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_schedules_are_the_topologys(templates: Templates) -> None:
    wanted = {spec.handler: spec.schedule_minutes for spec in FUNCTIONS if spec.schedule_minutes}
    functions = templates.resources("AWS::Lambda::Function")
    scheduled = {}
    for schedule in templates.properties("AWS::Scheduler::Schedule"):
        function = functions[templates.points_at(schedule["Target"]["Arn"])]
        scheduled[function["Properties"]["Handler"]] = schedule

    assert scheduled.keys() == wanted.keys()
    for handler, minutes in wanted.items():
        assert _minutes(scheduled[handler]["ScheduleExpression"]) == minutes
        assert scheduled[handler]["State"] == "ENABLED"
        assert scheduled[handler]["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] <= minutes * 60


def test_a_deploy_migrates_before_anything_that_counts_on_the_schema(templates: Templates) -> None:
    ((trigger_id, trigger),) = templates.resources("Custom::Trigger").items()
    version = templates.resources("AWS::Lambda::Version")[
        templates.points_at(trigger["Properties"]["HandlerArn"])
    ]
    functions = templates.resources("AWS::Lambda::Function")
    started = functions[templates.points_at(version["Properties"]["FunctionName"])]
    waiting = {
        each["Properties"]["Handler"]
        for each in functions.values()
        if trigger_id in each.get("DependsOn", [])
    }

    assert started["Properties"]["Handler"] == topology.function(topology.MIGRATE).handler
    assert trigger["Properties"]["InvocationType"] == "RequestResponse"
    assert trigger["Properties"]["ExecuteOnHandlerChange"] is True
    uses_it = (
        "sync",
        "query",
        "search-exporter",
        "tail",
        "retention",
        "retention-check",
        "eraser",
        "eraser-byoc",
        "exporter",
        "reconcile",
    )
    assert waiting == {topology.function(name).handler for name in uses_it}


def _minutes(expression: str) -> int:
    number, unit = expression.removeprefix("rate(").removesuffix(")").split()
    return int(number) * {"minute": 1, "hour": 60, "day": 1440}[unit.removesuffix("s")]


def test_no_function_leaves_a_log_group_when_its_stack_is_removed(templates: Templates) -> None:
    """Without one of its own, Lambda creates a log group that never expires and belongs to no stack."""
    groups = templates.resources("AWS::Logs::LogGroup")

    assert {each["DeletionPolicy"] for each in groups.values()} == {"Delete"}
    for function in templates.properties("AWS::Lambda::Function"):
        assert function["LoggingConfig"]["LogGroup"]["Ref"] in groups
