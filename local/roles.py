"""Trust policies for moto's AssumeRole, which gives credentials for any role, even one that does not exist.

Like STS it denies a caller that the role's trust policy does not allow, and does not say why. It knows the
principals and conditions of docs/byoc.md; tests/contract/test_trust_policies.py compares it, case by case,
with what the rehearsal's emulator does.
"""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from moto.core.exceptions import ServiceException
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, STSBackend

ACTION = "sts:AssumeRole"

_assume = STSBackend.assume_role


class AccessDeniedError(ServiceException):  # type: ignore[misc]  # moto has no types
    """STS's answer to a call that is not allowed."""

    code = "AccessDenied"


def install() -> None:
    """Check trust policies in this process; a second call changes nothing."""
    STSBackend.assume_role = _assume_if_trusted


def _assume_if_trusted(backend: STSBackend, **request: Any) -> AssumedRole:
    arn = request["role_arn"]
    caller = f"arn:aws:iam::{backend.account_id}:root"
    if not is_trusted(_trust_policy(arn), caller, request["external_id"]):
        raise AccessDeniedError(f"User: {caller} is not authorized to perform: {ACTION} on resource: {arn}")
    return _assume(backend, **request)


def _trust_policy(arn: str) -> dict[str, Any]:
    """The trust policy of the role; an empty one, which trusts no caller, if there is none."""
    try:
        _, partition, _, _, account, _ = arn.split(":")
        document = iam_backends[account][partition].get_role_by_arn(arn).assume_role_policy_document
    except (KeyError, ValueError, NotFoundException):
        return {}
    policy: dict[str, Any] = json.loads(document)
    return policy


def is_trusted(policy: dict[str, Any], caller: str, external_id: str | None) -> bool:
    """Whether the policy lets the account root `caller` assume its role with this external id."""
    effects = [
        each["Effect"] for each in _listed(policy.get("Statement", [])) if _applies(each, caller, external_id)
    ]
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: dict[str, Any], caller: str, external_id: str | None) -> bool:
    return (
        any(fnmatchcase(ACTION.lower(), each.lower()) for each in _listed(statement["Action"]))
        and any(each in ("*", caller, caller.split(":")[4]) for each in _principals(statement["Principal"]))
        and all(
            _holds(operator, key, wanted, external_id)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _principals(principal: Any) -> Iterator[str]:
    if isinstance(principal, str):
        yield principal
    else:
        yield from _listed(principal.get("AWS", []))


def _holds(operator: str, key: str, wanted: Any, external_id: str | None) -> bool:
    """Whether one condition holds; one on another key, such as MFA, never does: the caller has none."""
    if key.lower() != "sts:externalid":
        return False
    if operator == "Null":
        return (external_id is None) == (str(wanted).lower() == "true")
    given = external_id or ""
    matches = {
        "StringEquals": lambda each: given == each,
        "StringLike": lambda each: fnmatchcase(given, each),
    }
    return external_id is not None and operator in matches and any(map(matches[operator], _listed(wanted)))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
