"""Documentation of the routes of data exports and erasures; see functions.shared.openapi."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from functions.privacy.erasure import record as erasures
from functions.privacy.export import record as exports
from functions.privacy.forms import ClosingForm, ErasureForm, ExportForm
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    LinkText,
    Operation,
    Operations,
    Parameter,
    Reply,
    TimestampText,
    path_id,
)


class ExportedPeriod(Struct, rename={"since": "from", "until": "to"}):
    """The events from `from` up to, but excluding, `to`."""

    since: TimestampText
    until: TimestampText


class ListedExport(Struct):
    """A data export. `url`: a link to the archive, made for this response while the archive exists."""

    id: str
    state: Literal[exports.State, "expired"]
    requested_at: TimestampText
    logs: ExportedPeriod | None
    ready_at: TimestampText | None
    bytes: int | None
    expires_at: TimestampText | None
    url: LinkText | UnsetType = UNSET
    url_expires_at: TimestampText | UnsetType = UNSET


class ExportList(Struct):
    """The account's data exports, newest first."""

    exports: list[ListedExport]


class ShownReceipt(Struct):
    """The receipt of a verified erasure, without personal data; see docs/privacy.md."""

    number: int
    previous: str
    kind: erasures.Kind
    account: str
    person: str | None
    requested_at: TimestampText
    verified_at: TimestampText
    backups_until: TimestampText
    counts: dict[str, int]
    hash: str


class ListedErasure(Struct):
    """An erasure. `field` and `value` are null for an account, and once it is verified."""

    id: str
    kind: erasures.Kind
    state: erasures.State
    field: str | None
    value: str | None
    requested_at: TimestampText
    starts_at: TimestampText
    cancellable_until: TimestampText | None
    due_by: TimestampText
    cancelled_at: TimestampText | None
    verified_at: TimestampText | None
    waits_for: list[str]
    receipt: ShownReceipt | None


class PublicErasure(Struct):
    """An erasure as shown to a caller who has its id only."""

    id: str
    kind: erasures.Kind
    state: erasures.State
    requested_at: TimestampText
    starts_at: TimestampText
    due_by: TimestampText
    receipt: ShownReceipt | None


class ErasureList(Struct):
    """The account's erasures."""

    erasures: list[ListedErasure]


class ConfirmationNeeded(Struct):
    """`confirm`: what to send."""

    confirm: str


_EXPORT = {
    "id": "exp_2f1c8a",
    "state": "requested",
    "requested_at": "2026-11-23T10:00:00Z",
    "logs": None,
    "ready_at": None,
    "bytes": None,
    "expires_at": None,
}
_READY_EXPORT = {
    **_EXPORT,
    "state": "ready",
    "ready_at": "2026-11-23T10:04:00Z",
    "bytes": 48_211,
    "expires_at": "2026-11-30T10:04:00Z",
    "url": "https://exports.example.com/exp_2f1c8a.zip",
    "url_expires_at": "2026-11-23T11:00:00Z",
}
_ERASURE: dict[str, Any] = {
    "id": "era_51d09c",
    "kind": "person",
    "state": "requested",
    "field": "metadata.email",
    "value": "bob@example.com",
    "requested_at": "2026-11-23T10:00:00Z",
    "starts_at": "2026-11-23T10:00:00Z",
    "cancellable_until": None,
    "due_by": "2026-12-23T10:00:00Z",
    "cancelled_at": None,
    "verified_at": None,
    "waits_for": [],
    "receipt": None,
}
_CLOSING = {
    **_ERASURE,
    "kind": "account",
    "field": None,
    "value": None,
    "starts_at": "2026-11-30T10:00:00Z",
    "cancellable_until": "2026-11-30T10:00:00Z",
}
_EXPORT_ID = path_id("The export's id.", "exp_2f1c8a")
_ERASURE_ID = path_id("The erasure's id.", "era_51d09c")
_CONFIRM = {"confirmation_required": ConfirmationNeeded}

_EXPORTS: Operations = {
    "POST /v1/account/export": Operation(
        "requestExport",
        "Request an export of the account's data",
        "admin",
        {202: Reply("The export is requested.", ListedExport, _EXPORT)},
        description="`logs` adds the events of a period.",
        body=Body.json(
            ExportForm,
            {"logs": {"from": "2026-11-01T00:00:00Z", "to": "2026-11-23T00:00:00Z"}},
            required=False,
        ),
        errors=(*INVALID_BODY, "logs_not_held", "export_in_progress", "too_many_exports"),
        page="privacy.md#data-export",
    ),
    "GET /v1/account/exports": Operation(
        "listExports",
        "List data exports",
        "admin",
        {200: Reply("Data exports, newest first.", ExportList, {"exports": [_EXPORT]})},
        page="privacy.md#data-export",
    ),
    "GET /v1/account/exports/{id}": Operation(
        "getExport",
        "Read a data export, with a link once it is ready",
        "admin",
        {200: Reply("The export.", ListedExport, _READY_EXPORT)},
        parameters=(_EXPORT_ID,),
        errors=("not_found",),
        page="privacy.md#data-export",
    ),
}

_ERASURES: Operations = {
    "POST /v1/erasures": Operation(
        "requestErasure",
        "Erase a person from the logs, or the account",
        "admin",
        {202: Reply("The erasure is requested.", ListedErasure, _ERASURE)},
        description="Send `field` and `value` for a person; `account: true` and `confirm` for the account. "
        "Repeated for a person before it has started, the request returns the same erasure.",
        body=Body.json(ErasureForm, {"field": "metadata.email", "value": "bob@example.com"}),
        errors=(
            *INVALID_BODY,
            "confirmation_required",
            "409 account_closing",
            "too_many_erasures",
            "too_many_erasures_today",
        ),
        details=_CONFIRM,
        page="privacy.md#erase-a-person",
    ),
    "GET /v1/erasures": Operation(
        "listErasures",
        "List erasures",
        "admin",
        {200: Reply("The account's erasures.", ErasureList, {"erasures": [_ERASURE]})},
        page="privacy.md",
    ),
    "GET /v1/erasures/{id}": Operation(
        "getErasure",
        "Read an erasure",
        "erasure id",
        {
            200: Reply(
                "The erasure; without a key, its state and receipt.", (ListedErasure, PublicErasure), _ERASURE
            )
        },
        parameters=(_ERASURE_ID,),
        errors=("not_found",),
        page="privacy.md",
    ),
    "DELETE /v1/erasures/{id}": Operation(
        "cancelErasure",
        "Cancel the erasure of the account",
        "admin",
        {200: Reply("The cancelled erasure.", ListedErasure, {**_CLOSING, "state": "cancelled"})},
        parameters=(_ERASURE_ID,),
        errors=("not_found", "not_cancellable"),
        page="privacy.md#erase-the-account",
    ),
    "DELETE /v1/account": Operation(
        "closeAccount",
        "Erase the account",
        "admin",
        {202: Reply("The erasure is requested.", ListedErasure, _CLOSING)},
        description="Confirm with the account's id, in the body or as `confirm`.",
        parameters=(Parameter("confirm", "The account's id.", example="t_7gk2m4q8"),),
        body=Body.json(ClosingForm, {"confirm": "t_7gk2m4q8"}, required=False),
        errors=(*INVALID_BODY, "confirmation_required", "409 account_closing"),
        details=_CONFIRM,
        page="privacy.md#erase-the-account",
    ),
}

OPERATIONS: Operations = {**_EXPORTS, **_ERASURES}
