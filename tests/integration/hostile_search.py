"""The search function as an execution environment runs it, whose secret is a variable.

Run by local.lambda_runtime: all is real but the store of secrets.
"""

import os
from typing import Any

from functions.query import handler as query
from functions.shared.secret_text import SecretText

ADDRESS = "HOSTILE_ADDRESS"


def _secret(_name: str, *, anew: bool = False) -> SecretText:  # noqa: ARG001
    return SecretText(os.environ[ADDRESS])


if ADDRESS in os.environ:
    # In an execution environment; tests import this module for ADDRESS only.
    query.read_secret = _secret


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One request to POST /v1/search."""
    answer: dict[str, Any] = query.handler(event, context)
    return answer
