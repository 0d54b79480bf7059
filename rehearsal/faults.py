"""Faults of the templates on purpose: a rehearsal must fail with each of them and say what failed.

Each fault is one that review and `cdk synth` do not notice. It is applied to the synthesized templates.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from infra.topology import function as spec_of
from rehearsal.substitutions import Template

Resource = dict[str, Any]


class NotInTemplatesError(Exception):
    """The fault changed nothing: the templates no longer have what it breaks."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`breaks` changes one stack's template in place and returns whether it did.

    `scenarios`: those that should notice, besides the first one and the final checks.
    """

    name: str
    what: str
    breaks: Callable[[Template], bool]
    scenarios: tuple[str, ...] = ()


class Broken:
    """The edit of the templates for one fault; remembers whether it changed any."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._changed = False

    def edit(self, _stack: str, template: Template) -> None:
        self._changed |= self._fault.breaks(template)

    def check(self) -> None:
        """Raise NotInTemplatesError if no template was changed."""
        if not self._changed:
            raise NotInTemplatesError(f"no template has what '{self._fault.name}' breaks")


def _of_type(template: Template, kind: str) -> Iterator[tuple[str, Resource]]:
    return ((name, each) for name, each in list(template["Resources"].items()) if each["Type"] == kind)


def _function(template: Template, name: str) -> tuple[str, Resource] | None:
    """Logical id and resource of a function of the topology."""
    handler = spec_of(name).handler
    return next(
        (
            (logical_id, each)
            for logical_id, each in _of_type(template, "AWS::Lambda::Function")
            if each["Properties"].get("Handler") == handler
        ),
        None,
    )


def _without_action(name: str, action: str) -> Callable[[Template], bool]:
    """Remove an action from all statements of a function's role."""

    def breaks(template: Template) -> bool:
        if not (found := _function(template, name)):
            return False
        role = found[1]["Properties"]["Role"]["Fn::GetAtt"][0]
        changed = False
        for policy in _policies(template, role):
            for statement in policy["Statement"]:
                given = statement["Action"]
                actions = given if isinstance(given, list) else [given]
                if action in actions:
                    left = [each for each in actions if each != action]
                    # A statement must have an action; this one permits nothing that is used.
                    statement["Action"] = left or ["s3:GetBucketLogging"]
                    changed = True
        return changed

    return breaks


def _with_action(name: str, beside: str, action: str) -> Callable[[Template], bool]:
    """Allow a function's role one action more, where it may do `beside`."""

    def breaks(template: Template) -> bool:
        if not (found := _function(template, name)):
            return False
        role = found[1]["Properties"]["Role"]["Fn::GetAtt"][0]
        for policy in _policies(template, role):
            for statement in policy["Statement"]:
                if isinstance(statement["Action"], list) and beside in statement["Action"]:
                    statement["Action"].append(action)
                    return True
        return False

    return breaks


def _policies(template: Template, role: str) -> Iterator[dict[str, Any]]:
    for _, each in _of_type(template, "AWS::IAM::Policy"):
        if {"Ref": role} in each["Properties"].get("Roles", ()):
            yield each["Properties"]["PolicyDocument"]
    for inline in template["Resources"][role]["Properties"].get("Policies", ()):
        yield inline["PolicyDocument"]


def _without_variable(name: str, variable: str) -> Callable[[Template], bool]:
    def breaks(template: Template) -> bool:
        found = _function(template, name)
        return found is not None and bool(
            found[1]["Properties"]["Environment"]["Variables"].pop(variable, None)
        )

    return breaks


def _without_permission(name: str) -> Callable[[Template], bool]:
    """Remove one permission of API Gateway to invoke a function."""

    def breaks(template: Template) -> bool:
        found = _function(template, name)
        for logical_id, each in _of_type(template, "AWS::Lambda::Permission"):
            if found and each["Properties"]["FunctionName"] == {"Fn::GetAtt": [found[0], "Arn"]}:
                _remove(template, logical_id)
                return True
        return False

    return breaks


def _without_mapping(name: str) -> Callable[[Template], bool]:
    def breaks(template: Template) -> bool:
        found = _function(template, name)
        for logical_id, each in _of_type(template, "AWS::Lambda::EventSourceMapping"):
            if found and each["Properties"]["FunctionName"] == {"Ref": found[0]}:
                _remove(template, logical_id)
                return True
        return False

    return breaks


def _remove(template: Template, logical_id: str) -> None:
    """Remove a resource, and what depends on it by name only."""
    del template["Resources"][logical_id]
    for each in template["Resources"].values():
        depends = each.get("DependsOn")
        if isinstance(depends, list):
            each["DependsOn"] = [other for other in depends if other != logical_id]
        elif depends == logical_id:
            del each["DependsOn"]


def _without_notification(prefix: str) -> Callable[[Template], bool]:
    def breaks(template: Template) -> bool:
        for _, each in _of_type(template, "AWS::S3::Bucket"):
            notifications = each["Properties"].get("NotificationConfiguration", {})
            for one in notifications.get("QueueConfigurations", ()):
                if one["Filter"]["S3Key"]["Rules"][0]["Value"] == prefix:
                    del each["Properties"]["NotificationConfiguration"]
                    return True
        return False

    return breaks


def _without_index(name: str) -> Callable[[Template], bool]:
    """Remove a global secondary index, and the attributes that only it has."""

    def breaks(template: Template) -> bool:
        for _, each in _of_type(template, "AWS::DynamoDB::Table"):
            properties = each["Properties"]
            indexes = properties.pop("GlobalSecondaryIndexes", [])
            left = [one for one in indexes if one["IndexName"] != name]
            if left:
                properties["GlobalSecondaryIndexes"] = left
            if left != indexes:
                keys = {key["AttributeName"] for one in (properties, *left) for key in one["KeySchema"]}
                properties["AttributeDefinitions"] = [
                    one for one in properties["AttributeDefinitions"] if one["AttributeName"] in keys
                ]
                return True
        return False

    return breaks


def _queue_url(name: str, variable: str) -> Callable[[Template], bool]:
    """Give a function the URL of its queue instead of the name."""

    def breaks(template: Template) -> bool:
        found = _function(template, name)
        if not found:
            return False
        variables = found[1]["Properties"]["Environment"]["Variables"]
        host = ["https://sqs.", {"Ref": "AWS::Region"}, ".amazonaws.com/", {"Ref": "AWS::AccountId"}, "/"]
        variables[variable] = {"Fn::Join": ["", [*host, variables[variable]]]}
        return True

    return breaks


FAULTS = (
    Fault(
        "iam-action",
        "ingest may not put objects",
        _without_action("ingest", "s3:PutObject"),
    ),
    Fault(
        "iam-action-of-a-worker",
        "the exporter may not query tables",
        _without_action("exporter", "dynamodb:Query"),
        ("export",),
    ),
    Fault(
        "kms-action",
        "customers' credentials cannot be encrypted",
        _without_action("destinations", "kms:GenerateDataKey"),
        ("plans", "byoc"),
    ),
    Fault(
        "kms-action-of-a-service",
        "S3 may not decrypt for sync",
        _without_action("sync", "kms:Decrypt"),
    ),
    Fault(
        "assume-role",
        "ingest may not assume a customer's role",
        _without_action("ingest", "sts:AssumeRole"),
        ("plans", "byoc_role"),
    ),
    Fault(
        "environment-variable",
        "sync has no ledger table",
        _without_variable("sync", "ASTRALOG_LEDGER_TABLE"),
    ),
    Fault(
        "lambda-permission",
        "API Gateway may not invoke query",
        _without_permission("query"),
    ),
    Fault(
        "bucket-notification",
        "the drop bucket notifies no queue",
        _without_notification("dropin/"),
        ("uploads",),
    ),
    Fault(
        "event-source-mapping",
        "nothing reads the queue of staged objects",
        _without_mapping("sync"),
    ),
    Fault(
        "event-source-mapping-of-mail",
        "nothing reads bounces and complaints",
        _without_mapping("mail-feedback"),
        ("notices",),
    ),
    Fault(
        "index",
        "batches that are not counted cannot be listed",
        _without_index("unmetered"),
        ("schedules",),
    ),
    Fault(
        "queue-url",
        "the sweeper has a queue's URL instead of its name",
        _queue_url("sweeper", "ASTRALOG_STAGED_QUEUE"),
        ("schedules",),
    ),
    Fault(
        "right-too-many",
        "searches may scan a table that they only read",
        _with_action("query", "dynamodb:Query", "dynamodb:Scan"),
    ),
)
