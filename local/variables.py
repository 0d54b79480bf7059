"""The environment variables of a function: Lambda's, and its settings on this machine."""

import os

from infra.topology import Function
from local.endpoints import Endpoints
from local.naming import PROJECT_ROOT, alias, aws_variables, child_environment, physical
from local.user_pool import named

_KINDS = ("bucket", "queue", "table", "secret", "mail")


def variables(function: Function, endpoints: Endpoints) -> dict[str, str]:
    """The whole environment of `function`: Lambda's variables, and none of the caller's."""
    return {
        **aws_variables(endpoints.aws),
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONUNBUFFERED": "1",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "AWS_LAMBDA_FUNCTION_NAME": physical(function.name),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        **{
            f"ASTRALOG_{name.upper()}": resolved(value, endpoints)
            for name, value in function.settings.items()
        },
    }


def operators_variables(aws_endpoint: str) -> dict[str, str]:
    """Environment variables of `python -m operate`: those of the AWS CLI."""
    return {**child_environment(), **aws_variables(aws_endpoint)}


def resolved(value: str, endpoints: Endpoints) -> str:
    """The value of a setting of the topology on this machine."""
    kind, _, name = value.partition(":")
    if kind == "service":
        return endpoints.services[name]
    if kind == "key":
        return alias(name)
    if kind == "identity":
        return named(endpoints.aws)[name]
    return physical(name) if kind in _KINDS else value
