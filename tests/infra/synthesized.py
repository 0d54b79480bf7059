"""The synthesized templates, asked by the topology's names."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Properties = dict[str, Any]


@dataclass(frozen=True)
class Templates:
    """Both stacks as CloudFormation sees them. `folder`: the cloud assembly that they are part of."""

    data: dict[str, Any]
    compute: dict[str, Any]
    folder: Path

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Logical id -> resource, of one CloudFormation type, in both stacks."""
        return {name: each for name, each in self._all() if each["Type"] == kind}

    def properties(self, kind: str) -> list[Properties]:
        return [each["Properties"] for each in self.resources(kind).values()]

    def function(self, handler: str) -> Properties:
        """The one Lambda function with that handler."""
        (found,) = (each for each in self.properties("AWS::Lambda::Function") if each["Handler"] == handler)
        return found

    def store(self, kind: str, name: str) -> tuple[str, dict[str, Any]]:
        """Logical id and resource of a bucket, table or queue of the topology."""
        types = {"bucket": "AWS::S3::Bucket", "table": "AWS::DynamoDB::Table", "queue": "AWS::SQS::Queue"}
        (found,) = (
            (logical_id, each)
            for logical_id, each in self.resources(types[kind]).items()
            if logical_id.startswith(f"{name.replace('-', '')}{kind}")
        )
        return found

    def statements(self, handler: str) -> list[dict[str, Any]]:
        """What the function's role may do: its own policy, and every other that names the role."""
        role_id = self.function(handler)["Role"]["Fn::GetAtt"][0]
        role = self.resources("AWS::IAM::Role")[role_id]["Properties"]
        attached = [
            policy
            for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
            for policy in self.properties(kind)
            if {"Ref": role_id} in policy.get("Roles", ())
        ]
        return [
            statement
            for policy in (*role["Policies"], *attached)
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def policy_statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every statement of every policy anywhere, with the type of the resource that carries it."""
        for _, resource in self._all():
            for document in _documents(resource.get("Properties", {})):
                for statement in document["Statement"]:
                    yield resource["Type"], statement

    def points_at(self, value: Any) -> str:
        """The logical id that a reference means, in its own stack or across them."""
        match value:
            case {"Ref": str(logical_id)} | {"Fn::GetAtt": [str(logical_id), *_]}:
                return logical_id
            case {"Fn::ImportValue": str(export)}:
                (output,) = (
                    each
                    for each in self.data["Outputs"].values()
                    if each.get("Export", {}).get("Name") == export
                )
                return self.points_at(output["Value"])
            case _:
                raise AssertionError(f"not a reference: {value}")

    def _all(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self.data["Resources"].items()
        yield from self.compute["Resources"].items()


def listed(value: Any) -> list[Any]:
    """CloudFormation writes a list of one as the one."""
    return value if isinstance(value, list) else [value]


def _documents(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "Statement" in node:
            yield node
        for each in node.values():
            yield from _documents(each)
    elif isinstance(node, list):
        for each in node:
            yield from _documents(each)
