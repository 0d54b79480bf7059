"""Whether each trigger may do what it does: the emulator invokes functions without asking.

It calls routes' functions and authorizers without their resource policies, and runs schedules and event
source mappings without their roles' policies. So the deployed policies are read and evaluated here.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from infra.topology import FUNCTIONS
from rehearsal.cloud import Cloud
from rehearsal.site import ACCOUNT, REGION

CONSUMING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
INVOKING = ("lambda:InvokeFunction",)


def forbidden_triggers(cloud: Cloud) -> list[str]:
    """Sentences about triggers that AWS would not let invoke their function, or that are missing."""
    return [*_of_the_api(cloud), *_of_schedules(cloud), *_of_queues(cloud)]


def _of_the_api(cloud: Cloud) -> Iterator[str]:
    gateway = cloud.client("apigatewayv2")
    api_id = cloud.outputs["ApiUrl"].partition("//")[2].partition(".")[0]
    prefix = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api_id}"
    integrations = {
        each["IntegrationId"]: each["IntegrationUri"]
        for each in gateway.get_integrations(ApiId=api_id)["Items"]
    }
    for route in gateway.get_routes(ApiId=api_id)["Items"]:
        method, _, path = route["RouteKey"].partition(" ")
        source = f"{prefix}/$default/{method}{path}"
        function = _function_in(integrations[route["Target"].rpartition("/")[2]])
        if not _may_invoke(cloud, function, source):
            yield f"API Gateway may not invoke {function} for {route['RouteKey']}"
    for authorizer in gateway.get_authorizers(ApiId=api_id)["Items"]:
        function = _function_in(authorizer["AuthorizerUri"])
        if not _may_invoke(cloud, function, f"{prefix}/authorizers/{authorizer['AuthorizerId']}"):
            yield f"API Gateway may not invoke the authorizer {function}"


def _of_schedules(cloud: Cloud) -> Iterator[str]:
    scheduler = cloud.client("scheduler")
    targets = [
        scheduler.get_schedule(Name=each["Name"], GroupName=each["GroupName"])["Target"]
        for page in scheduler.get_paginator("list_schedules").paginate()
        for each in page["Schedules"]
    ]
    scheduled = {_name(target["Arn"]) for target in targets}
    for spec in FUNCTIONS:
        if spec.schedule_minutes and cloud.functions[spec.name]["FunctionName"] not in scheduled:
            yield f"{spec.name} has no schedule"
    for target in targets:
        yield from _denied(cloud, target["RoleArn"], INVOKING, target["Arn"])


def _of_queues(cloud: Cloud) -> Iterator[str]:
    mappings = cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    mapped = {_name(each["FunctionArn"]) for each in mappings}
    roles = {each["FunctionName"]: each["Role"] for each in cloud.functions.values()}
    for spec in FUNCTIONS:
        if spec.source and cloud.functions[spec.name]["FunctionName"] not in mapped:
            yield f"{spec.name} has no event source mapping"
    for each in mappings:
        yield from _denied(cloud, roles[_name(each["FunctionArn"])], CONSUMING, each["EventSourceArn"])


def _denied(cloud: Cloud, role: str, actions: tuple[str, ...], resource: str) -> Iterator[str]:
    results = cloud.client("iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=list(actions), ResourceArns=[resource]
    )["EvaluationResults"]
    for each in results:
        if each["EvalDecision"] != "allowed":
            yield f"{role.rpartition('/')[2]} may not {each['EvalActionName']} {resource.rpartition(':')[2]}"


def _may_invoke(cloud: Cloud, function: str, source: str) -> bool:
    client = cloud.client("lambda")
    try:
        policy = json.loads(client.get_policy(FunctionName=function)["Policy"])
    except client.exceptions.ResourceNotFoundException:
        return False
    return any(_allows(statement, source) for statement in policy["Statement"])


def _allows(statement: dict[str, Any], source: str) -> bool:
    """Whether a statement of a function's policy lets API Gateway invoke it for `source`."""
    patterns = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn", "*")
    return (
        statement["Effect"] == "Allow"
        and statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
        and any(matches(each, source) for each in ([patterns] if isinstance(patterns, str) else patterns))
    )


def matches(pattern: str, arn: str) -> bool:
    """Whether `arn` matches an IAM pattern: `*` is any text, `?` one character."""
    any_text, one = re.escape("*"), re.escape("?")
    return re.fullmatch(re.escape(pattern).replace(any_text, ".*").replace(one, "."), arn) is not None


def _function_in(uri: str) -> str:
    """The function's name in an integration's or authorizer's URI, or in a plain ARN."""
    return _name(uri.partition("/functions/")[2].removesuffix("/invocations") or uri)


def _name(arn: str) -> str:
    return arn.partition(":function:")[2].partition(":")[0]
