"""docs/byoc.md: the role that its templates create is the role that GET /v1/destination/role describes."""

import re
from pathlib import Path
from typing import Any

import yaml

from functions.shared.byoc.role_policies import ROLE_PREFIX, permission_policy, trust_policy
from functions.shared.tenancy import TenantId

PAGE = Path("docs/byoc.md").read_text(encoding="utf-8")
VALUES = {
    "AWS::Partition": "aws",
    "Bucket": "acme-logs",
    "AstraLogAccount": "444455556666",
    "ExternalId": "of-acme",
    "Tenant": "acme",
}


class _Loader(yaml.SafeLoader):
    """Resolves the short forms of CloudFormation's functions with VALUES."""


_Loader.add_constructor("!Ref", lambda _loader, node: VALUES[node.value])
_Loader.add_constructor("!GetAtt", lambda _loader, node: node.value)
_Loader.add_constructor(
    "!Sub", lambda _loader, node: re.sub(r"\$\{([\w:]+)\}", lambda found: VALUES[found[1]], node.value)
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_cloudformation_template_creates_the_role_that_the_api_describes() -> None:
    (text,) = blocks("yaml")
    template: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    role = template["Resources"]["Role"]["Properties"]

    assert template["Parameters"].keys() == VALUES.keys() - {"AWS::Partition"}
    assert role["RoleName"] == ROLE_PREFIX
    assert role["AssumeRolePolicyDocument"] == trust_policy("aws", VALUES["AstraLogAccount"], "of-acme")
    (policy,) = role["Policies"]
    assert policy["PolicyDocument"] == permission_policy("aws", "acme-logs", TenantId("acme"))


def test_the_terraform_template_uses_the_answer_of_the_api() -> None:
    (text,) = blocks("hcl")

    assert set(re.findall(r"local\.setup\.(\w+)", text)) == {"role_name", "trust_policy", "permission_policy"}
