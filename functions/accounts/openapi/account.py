"""Documentation of the routes of the account itself."""

from msgspec import Struct

from functions.accounts import account_forms
from functions.accounts.openapi.shapes import CODE, EMAIL, ConfirmationSent
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    Operation,
    Operations,
    Reply,
    TimestampText,
)


class AccountProfile(Struct):
    """An account without an owner has no name, address and terms. `closes_at`: of a requested erasure."""

    tenant_id: str
    name: str | None
    email: str | None
    plan: str
    retention_days: int
    marketing_opt_in: bool
    terms_version: str | None
    terms_accepted_at: TimestampText | None
    created_at: TimestampText | None
    closes_at: TimestampText | None


_PROFILE = {
    "tenant_id": "t_7gk2m4q8",
    "name": "Ada",
    "email": EMAIL,
    "plan": "trial",
    "retention_days": 15,
    "marketing_opt_in": False,
    "terms_version": "2026-11-01",
    "terms_accepted_at": "2026-11-23T10:00:00Z",
    "created_at": "2026-11-23T10:00:00Z",
    "closes_at": None,
}

OPERATIONS: Operations = {
    "GET /v1/account": Operation(
        "getAccount",
        "Read the account",
        "admin",
        {200: Reply("The account.", AccountProfile, _PROFILE)},
        errors=("unauthorized",),
        page="account.md#read-the-account",
    ),
    "PATCH /v1/account": Operation(
        "changeAccount",
        "Change name, address or consent",
        "admin",
        {
            200: Reply("The changed account.", AccountProfile, _PROFILE),
            202: Reply(
                "A code is mailed to the new address.", ConfirmationSent, {"status": "confirmation_sent"}
            ),
        },
        description="A new `email` needs a person's access token.",
        body=Body.json(account_forms.AccountChangesForm, {"name": "Ada Lovelace"}),
        errors=(*INVALID_BODY, "sign_in_required", "no_owner", "concurrent_change"),
        page="account.md#change-the-account",
    ),
    "POST /v1/account/email/confirm": Operation(
        "confirmEmail",
        "Confirm a new address with the mailed code",
        "admin",
        {200: Reply("The account with its new address.", AccountProfile, _PROFILE)},
        description="Needs a person's access token.",
        body=Body.json(account_forms.EmailCodeForm, {"code": CODE}),
        errors=(
            *INVALID_BODY,
            "invalid_code",
            "sign_in_required",
            "no_email_change",
            "no_owner",
            "concurrent_change",
        ),
        page="account.md#change-the-e-mail-address",
    ),
}
