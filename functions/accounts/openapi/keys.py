"""Documentation of the routes of API keys."""

from typing import Literal

from msgspec import Struct

from functions.accounts import account_forms
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    Operation,
    Operations,
    Reply,
    SecretField,
    TimestampText,
    path_id,
)


class ListedKey(Struct):
    """An API key without its text. `replaced_by`: the id of the key that it was rotated to."""

    id: str
    name: str
    prefix: str
    scopes: list[account_forms.Scope]
    project_id: str
    state: Literal["active", "rotating", "expired", "revoked"]
    replaced_by: str | None
    created_at: TimestampText | None
    expires_at: TimestampText | None
    revoked_at: TimestampText | None
    last_used_at: TimestampText | None


class KeyWithText(ListedKey, kw_only=True):
    """A new key: `key` is its text, which is shown once. `replaced`: the key that was rotated."""

    key: SecretField
    replaced: ListedKey | None = None


class KeyList(Struct):
    """All keys, newest first."""

    keys: list[ListedKey]


_KEY = {
    "id": "key_3f9c1b7a",
    "name": "checkout",
    "prefix": "ast_sk_live_9fQ2",
    "scopes": ["ingest"],
    "project_id": "default",
    "state": "active",
    "replaced_by": None,
    "created_at": "2026-11-23T10:00:00Z",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": None,
}
_KEY_TEXT = "ast_sk_live_9fQ2…"
_KEY_ID = path_id("The key's id.", "key_3f9c1b7a")

OPERATIONS: Operations = {
    "GET /v1/keys": Operation(
        "listKeys",
        "List API keys",
        "admin",
        {200: Reply("All keys, newest first.", KeyList, {"keys": [_KEY]})},
        page="account.md#manage-keys",
    ),
    "POST /v1/keys": Operation(
        "createKey",
        "Create an API key",
        "admin",
        {201: Reply("The key. Its text is in no other response.", KeyWithText, {**_KEY, "key": _KEY_TEXT})},
        body=Body.json(
            account_forms.NewKeyForm, {"scopes": ["ingest"], "name": "checkout", "expires_in_days": 90}
        ),
        errors=(*INVALID_BODY, "too_many_keys", "concurrent_change"),
        page="account.md#manage-keys",
    ),
    "POST /v1/keys/{id}/rotate": Operation(
        "rotateKey",
        "Replace an API key",
        "admin",
        {
            201: Reply(
                "The new key. The old one stays valid for `overlap_hours`.",
                KeyWithText,
                {**_KEY, "id": "key_90d2e6c4", "key": _KEY_TEXT, "replaced": {**_KEY, "state": "rotating"}},
            )
        },
        parameters=(_KEY_ID,),
        body=Body.json(account_forms.RotationForm, {"overlap_hours": 24}, required=False),
        errors=(
            *INVALID_BODY,
            "not_found",
            "already_rotated",
            "key_not_active",
            "too_many_keys",
            "concurrent_change",
        ),
        page="keys.md",
    ),
    "DELETE /v1/keys/{id}": Operation(
        "revokeKey",
        "Revoke an API key",
        "admin",
        {204: Reply("The key is revoked within 30 seconds; also when repeated.")},
        parameters=(_KEY_ID,),
        errors=("not_found", "concurrent_change"),
        page="keys.md",
    ),
}
