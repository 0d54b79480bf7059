"""`destroy`: both stacks, after a confirmation; what CloudFormation retains is listed."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.topology import StageNames
from operate import stacks
from operate.__main__ import main
from operate.console import Console
from operate.installation import Installation
from operate.session import Session

DATA, COMPUTE = "AstraLog-test-Data", "AstraLog-test-Compute"
OTHER = "AstraLogData"

POLICIES = {
    "AWS::S3::Bucket": "RetainExceptOnCreate",
    "AWS::DynamoDB::Table": "Retain",
    "AWS::Logs::LogGroup": "Delete",
}


class CloudFormation:
    """Stacks by id. A deletion takes two looks."""

    def __init__(self, *names: str) -> None:
        self.stacks = {
            f"arn:{name}": {
                "StackId": f"arn:{name}",
                "StackName": name,
                "StackStatus": "CREATE_COMPLETE",
                "EnableTerminationProtection": name.endswith("Data"),
            }
            for name in names
        }
        self.fails = False
        self.deleted: list[str] = []

    def describe_stacks(self, **asked: Any) -> dict[str, Any]:
        found = self._named(asked["StackName"])
        shown = {"Stacks": [dict(found)]}
        if found["StackStatus"] == "DELETE_IN_PROGRESS":
            found["StackStatus"] = "DELETE_FAILED" if self.fails else "DELETE_COMPLETE"
        return shown

    def update_termination_protection(self, **asked: Any) -> None:
        self._named(asked["StackName"]).update(asked)

    def delete_stack(self, **asked: Any) -> None:
        found = self._named(asked["StackName"])
        if found["EnableTerminationProtection"]:
            raise rejected("TerminationProtection is enabled")
        found["StackStatus"] = "DELETE_IN_PROGRESS"
        self.deleted.append(asked["StackName"])

    def get_template(self, **asked: Any) -> dict[str, Any]:
        self._named(asked["StackName"])
        resources = {kind: {"Type": kind, "DeletionPolicy": policy} for kind, policy in POLICIES.items()}
        return {"TemplateBody": {"Resources": {**resources, "Role": {"Type": "AWS::IAM::Role"}}}}

    def get_paginator(self, _operation: str) -> "CloudFormation":
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        """A page for each resource."""
        kinds = ["AWS::Logs::LogGroup"] if asked["StackName"] == COMPUTE else [*POLICIES, "Role"]
        return [
            {
                "StackResourceSummaries": [
                    {"ResourceType": kind, "LogicalResourceId": kind, "PhysicalResourceId": kind[-5:].lower()}
                ]
            }
            for kind in kinds
        ]

    def _named(self, name: str) -> dict[str, Any]:
        for each in self.stacks.values():
            by_name = each["StackName"] == name and each["StackStatus"] != "DELETE_COMPLETE"
            if by_name or each["StackId"] == name:
                return each
        raise rejected(f"Stack with id {name} does not exist")


def rejected(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "call")


def operate(cloudformation: CloudFormation, *arguments: str) -> int:
    return main(
        arguments,
        lambda asked: Session(
            Installation(StageNames("test"), "eu-central-1", cloudformation),
            Console(as_json=asked.json, assume_yes=asked.yes),
        ),
    )


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "POLL_SECONDS", 0)


def test_both_stacks_of_the_stage_are_deleted_and_what_is_retained_is_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    here = CloudFormation(COMPUTE, DATA, OTHER)
    assert operate(here, "destroy", "--yes", "--json") == 0

    assert here.deleted == [COMPUTE, DATA], "the compute stack imports from the data stack"
    assert here.stacks[f"arn:{OTHER}"]["StackStatus"] == "CREATE_COMPLETE"
    output = capsys.readouterr()
    assert [json.loads(line) for line in output.out.splitlines()] == [
        {"retained": "AWS::DynamoDB::Table", "name": "table"},
        {"retained": "AWS::S3::Bucket", "name": "ucket"},
    ]
    assert "Secrets Manager" in output.err


def test_nothing_is_deleted_without_a_confirmation(capsys: pytest.CaptureFixture[str]) -> None:
    here = CloudFormation(COMPUTE, DATA)
    assert operate(here, "destroy") == 1

    assert here.deleted == []
    assert here.stacks[f"arn:{DATA}"]["EnableTerminationProtection"] is True
    assert "stage test in eu-central-1" in capsys.readouterr().err


def test_a_run_that_was_interrupted_can_be_repeated() -> None:
    here = CloudFormation(DATA)
    assert operate(here, "destroy", "--yes") == 0
    assert here.deleted == [DATA]
    assert operate(here, "destroy", "--yes") == 1, "there is nothing left"


def test_a_deletion_that_fails_is_an_error_and_the_data_stack_stays(
    capsys: pytest.CaptureFixture[str],
) -> None:
    here = CloudFormation(COMPUTE, DATA)
    here.fails = True
    assert operate(here, "destroy", "--yes") == 1

    assert here.deleted == [COMPUTE]
    assert "DELETE_FAILED" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "status", "expected"),
    [
        ((COMPUTE, DATA), "CREATE_COMPLETE", "yes"),
        ((DATA,), "UPDATE_ROLLBACK_COMPLETE", "yes"),
        ((DATA,), "ROLLBACK_COMPLETE", "no"),
        ((OTHER,), "CREATE_COMPLETE", "no"),
    ],
)
def test_a_stack_is_deployed_once_it_was_created(
    names: tuple[str, ...], status: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first deployment is repeated without deletion protection until it succeeds."""
    here = CloudFormation(*names)
    for each in here.stacks.values():
        each["StackStatus"] = status
    assert operate(here, "is-deployed") == 0

    assert capsys.readouterr().out == f"{expected}\n"
