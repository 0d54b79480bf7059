"""As Datadog's intake."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from functions.ingest.openapi.shapes import EVENT, EVENTS, PLAIN, STATUSES, RejectedRecord
from functions.shared.openapi import JSON, Body, ErrorForm, Operation, Operations, Parameter, Reply


class DatadogProblem(Struct):
    """One error in Datadog's form."""

    status: str
    title: str
    detail: str


class DatadogErrors(Struct):
    """Errors in Datadog's form."""

    errors: list[DatadogProblem]


class DatadogResult(Struct):
    """Empty when every log was accepted."""

    accepted: int | UnsetType = UNSET
    rejected: int | UnsetType = UNSET
    errors: list[RejectedRecord] | UnsetType = UNSET


class DatadogKeyCheck(Struct):
    """The key is valid."""

    valid: Literal[True]


_DATADOG_FORM = ErrorForm({JSON: DatadogErrors}, STATUSES)

_DATADOG_BODY = Body(
    {JSON: {"anyOf": [EVENTS, EVENT]}, "text/plain": PLAIN},
    {JSON: [{"message": "order 42 shipped", "service": "checkout", "ddtags": "env:prod"}]},
)


def _datadog(name: str, title: str) -> Operation:
    return Operation(
        name,
        title,
        "ingest",
        {202: Reply("The accepted logs are durable.", DatadogResult, {})},
        parameters=tuple(
            Parameter(each, "As Datadog's.") for each in ("ddsource", "ddtags", "hostname", "service")
        ),
        body=_DATADOG_BODY,
        error_form=_DATADOG_FORM,
        page="clients/datadog.md",
    )


OPERATIONS: Operations = {
    "POST /api/v2/logs": _datadog("sendDatadogLogs", "Send logs as to Datadog"),
    "POST /v1/input": _datadog("sendDatadogInput", "Send logs as to Datadog, at its older path"),
    "GET /api/v1/validate": Operation(
        "validateDatadogKey",
        "Check a key as at Datadog",
        "any key",
        {200: Reply("The key is valid.", DatadogKeyCheck, {"valid": True})},
        error_form=_DATADOG_FORM,
        page="clients/datadog.md",
    ),
}
