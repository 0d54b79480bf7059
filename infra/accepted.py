"""Findings of `make audit` that are accepted, each with its reason, beside the construct that has them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the audit reads METADATA, and does without CDK
    from constructs import IConstruct

METADATA = "astralog:accepted"
"""The type of a construct's metadata entry. It is in the cloud assembly, not in the template."""


def accept(construct: "IConstruct", *rules: str, reason: str) -> None:
    """Accept findings of `rules` on `construct` and on what is below it.

    An acceptance that no finding needs fails the audit, as a finding without one does.

    Parameters
    ----------
    rules: the ids of cdk-nag, checkov or cfn-lint. The detail of a cdk-nag id may be a pattern of `fnmatch`:
        `AwsSolutions-IAM5[Resource::*.Arn>:[*]]`.
    reason: one sentence that says why the finding is right to stay.
    """
    construct.node.add_metadata(METADATA, {"rules": list(rules), "reason": reason})
