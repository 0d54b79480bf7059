"""Documentation of the routes of BYOC destinations; see functions.shared.openapi."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from functions.destinations.candidate import DestinationForm
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    Operation,
    Operations,
    Parameter,
    Reply,
    TimestampText,
)


class ShownBucket(Struct):
    """The bucket, without its secret."""

    name: str
    region: str
    endpoint: str | None
    access_key_ends_with: str | None
    role_arn: str | None


class ShownClickHouse(Struct):
    """The ClickHouse, without user and password."""

    host: str
    port: int
    secure: bool
    database: str


class ShownHealth(Struct):
    """`since`: null for a destination that has never failed. `reason`: a reason code."""

    state: Literal["ok", "failing"]
    since: TimestampText | None
    reason: str | None


class TestStep(Struct):
    """One step of a test: `ok`, or `skipped`. `fix` says what to do."""

    step: str
    detail: str
    fix: str | None
    ok: bool | UnsetType = UNSET
    skipped: Literal[True] | UnsetType = UNSET


class TestReport(Struct):
    """`guarantee`: of a usable destination."""

    usable: bool
    guarantee: Literal["exactly_once", "at_least_once"] | None
    steps: list[TestStep]


class ShownDestination(Struct):
    """The stored destination. `version` grows with each change."""

    version: int
    bucket: ShownBucket
    clickhouse: ShownClickHouse
    retention_days: int
    guarantee: str
    updated_at: TimestampText


class DestinationWithHealth(ShownDestination, kw_only=True):
    """The stored destination and whether it works."""

    health: ShownHealth


class StoredDestination(ShownDestination, kw_only=True):
    """The stored destination and the steps that it passed."""

    steps: list[TestStep]


class RoleSetup(Struct):
    """What a cross-account role needs; the two policies are IAM documents."""

    account_id: str
    external_id: str
    role_name: str
    trust_policy: dict[str, Any]
    permission_policy: dict[str, Any]


_FORM = {
    "bucket": {
        "name": "acme-logs",
        "region": "eu-central-1",
        "access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    },
    "clickhouse": {
        "host": "clickhouse.example.com",
        "user": "astralog",
        "password": "…",
        "database": "logs",
    },
    "retention_days": 365,
}
_SHOWN = {
    "version": 1,
    "bucket": {
        "name": "acme-logs",
        "region": "eu-central-1",
        "endpoint": None,
        "access_key_ends_with": "MPLE",
        "role_arn": None,
    },
    "clickhouse": {"host": "clickhouse.example.com", "port": 8443, "secure": True, "database": "logs"},
    "retention_days": 365,
    "guarantee": "exactly_once",
    "updated_at": "2026-11-23T10:00:00Z",
}
_STEP = {
    "step": "bucket.reach",
    "ok": True,
    "detail": "It answers, and its certificate is valid.",
    "fix": None,
}
_REPORT = {"usable": True, "guarantee": "exactly_once", "steps": [_STEP]}

OPERATIONS: Operations = {
    "GET /v1/destination/role": Operation(
        "getDestinationRole",
        "Read what a cross-account role needs",
        "admin",
        {
            200: Reply(
                "The external id of the account, and the policies of the role.",
                RoleSetup,
                {
                    "account_id": "123456789012",
                    "external_id": "0f3a5c1d9be2847601c5d2e8f7a94b3c6d1e0f25",
                    "role_name": "AstraLog",
                    "trust_policy": {"Version": "2012-10-17", "Statement": []},
                    "permission_policy": {"Version": "2012-10-17", "Statement": []},
                },
            )
        },
        parameters=(Parameter("bucket", "The bucket of the policy; by default that of the destination."),),
        errors=("invalid_<field>",),
        page="byoc.md",
    ),
    "GET /v1/destination": Operation(
        "getDestination",
        "Read the BYOC destination",
        "admin",
        {
            200: Reply(
                "The destination, without secrets.",
                DestinationWithHealth,
                {**_SHOWN, "health": {"state": "ok", "since": None, "reason": None}},
            )
        },
        errors=("404 no_destination",),
        page="byoc.md",
    ),
    "PUT /v1/destination": Operation(
        "setDestination",
        "Test and store the BYOC destination",
        "admin",
        {200: Reply("It passed each step and is stored.", StoredDestination, {**_SHOWN, "steps": [_STEP]})},
        description="Secrets may be left out while the address that they are for stays the same.",
        body=Body.json(DestinationForm, _FORM),
        errors=(*INVALID_BODY, "destination_unusable", "concurrent_change"),
        details={"destination_unusable": TestReport},
        page="byoc.md",
    ),
    "DELETE /v1/destination": Operation(
        "removeDestination",
        "Remove the BYOC destination",
        "admin",
        {204: Reply("Removed, also when repeated.")},
        errors=("concurrent_change",),
        page="byoc.md",
    ),
    "POST /v1/destination/test": Operation(
        "testDestination",
        "Test a BYOC destination without storing it",
        "admin",
        {200: Reply("The outcome of each step.", TestReport, _REPORT)},
        description="Without a body, the stored destination is tested.",
        body=Body.json(DestinationForm, _FORM, required=False),
        errors=(*INVALID_BODY, "404 no_destination", "concurrent_change"),
        page="byoc.md",
    ),
}
