"""Which resources hold data, and whether a deployment replaced one."""

from dataclasses import dataclass

from rehearsal.cloud import Cloud

KINDS = (
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
)
"""Types of resources with data. A queue has it for as long as a message waits."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A resource with data: its logical id, and what it is in AWS."""

    logical_id: str
    kind: str
    physical_id: str


def identities(cloud: Cloud) -> list[Identity]:
    """All resources with data of the deployed stacks."""
    return [
        Identity(each.logical_id, each.kind, each.physical_id)
        for each in cloud.resources
        if each.kind in KINDS
    ]


def replaced(before: list[Identity], after: list[Identity]) -> list[str]:
    """Sentences about resources that are gone or are now others."""
    now = {each.logical_id: each for each in after}
    return [
        f"{each.kind} {each.logical_id} was {each.physical_id}, and "
        + (f"is {now[each.logical_id].physical_id}" if each.logical_id in now else "is gone")
        for each in before
        if now.get(each.logical_id) != each
    ]
