"""Operators' commands find the local stack as they find a deployed one."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from bench.children import child
from infra.topology import OUTPUTS, StageNames
from local.endpoints import Endpoints
from local.naming import LOOPBACK, aws_variables, physical
from local.stack_outputs import outputs
from operate.errors import OperatorError
from operate.installation import Installation

SERVICES = {"api": "http://127.0.0.1:1", "stripe": "http://127.0.0.1:2/?a=1&b=2"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with child("local.aws", services=SERVICES) as aws:
        yield f"http://{LOOPBACK}:{aws.port}"


@pytest.fixture
def cloudformation(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in aws_variables(endpoint).items():
        monkeypatch.setenv(name, value)
    return boto3.client("cloudformation")


def test_the_outputs_are_those_of_the_deployed_stacks(cloudformation: Any, endpoint: str) -> None:
    here = Installation(StageNames(), "us-east-1", cloudformation)

    assert here.outputs.keys() == OUTPUTS.keys()
    assert here.outputs == outputs(Endpoints(endpoint, SERVICES))["AstraLogData"]
    assert here.output("KeyListsTable") == physical("key-lists")
    assert here.output("StripeUrl") == SERVICES["stripe"]
    assert here.outputs_of(here.names.compute_stack) == {"ApiUrl": SERVICES["api"]}


def test_there_is_no_other_stage_and_nothing_to_destroy(cloudformation: Any) -> None:
    with pytest.raises(OperatorError, match="no stack AstraLog-prod-Data"):
        _ = Installation(StageNames("prod"), "us-east-1", cloudformation).outputs
    here = Installation(StageNames(), "us-east-1", cloudformation)
    with pytest.raises(OperatorError, match="InvalidAction"):
        here.ask(lambda: cloudformation.delete_stack(StackName="AstraLogData"))


def test_other_services_answer_as_before(endpoint: str, cloudformation: Any) -> None:
    assert cloudformation.meta.endpoint_url == endpoint
    assert boto3.client("dynamodb").list_tables()["TableNames"] == []
