"""The environment of a function: what Lambda would give it, and its settings as they are on this machine."""

import os
from collections.abc import Mapping

from infra.topology import TABLES, Function
from local.identity import named
from local.naming import PROJECT_ROOT, alias, aws_variables, child_environment, physical

_KINDS = ("bucket", "queue", "table", "secret", "mail")


def variables(function: Function, aws_endpoint: str, services: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of `function`: what Lambda would give it, and nothing of the caller's own.

    `services`: where what a setting calls `service:<name>` answers.
    """
    return {
        **aws_variables(aws_endpoint),
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONUNBUFFERED": "1",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "AWS_LAMBDA_FUNCTION_NAME": physical(function.name),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        **{
            f"ASTRALOG_{name.upper()}": _resolved(value, aws_endpoint, services)
            for name, value in function.settings.items()
        },
    }


def operators_variables(aws_endpoint: str) -> dict[str, str]:
    """What an operator's command finds in the environment: where AWS is, and what the tables are called."""
    tables = {
        f"ASTRALOG_{table.name.upper().replace('-', '_')}_TABLE": physical(table.name) for table in TABLES
    }
    return {**child_environment(), **aws_variables(aws_endpoint), **tables}


def _resolved(value: str, aws_endpoint: str, services: Mapping[str, str]) -> str:
    kind, _, name = value.partition(":")
    if kind == "service":
        return services[name]
    if kind == "key":
        return alias(name)
    if kind == "identity":
        return named(aws_endpoint)[name]
    return physical(name) if kind in _KINDS else value
