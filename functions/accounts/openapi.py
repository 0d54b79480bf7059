"""Documentation of the routes of sign-in and of the account; see functions.shared.openapi.

The forms of sign-in are read field by field (functions.accounts.forms), and fields that they do not know are
ignored. Their types are only here; a test compares them with what the routes reject.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from functions.accounts import account_forms, forms
from functions.accounts.account_forms import CodeText
from functions.shared.accounts.audit import MAX_PAGE
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    Operation,
    Operations,
    Parameter,
    Reply,
    SecretField,
    TimestampText,
    path_id,
)

EmailText = Annotated[str, Meta(max_length=forms.MAX_EMAIL_CHARACTERS, extra_json_schema={"format": "email"})]
Password = Annotated[
    str,
    Meta(min_length=1, max_length=forms.MAX_PASSWORD_CHARACTERS, extra_json_schema={"format": "password"}),
]
NewPassword = Annotated[
    str,
    Meta(
        min_length=forms.MIN_PASSWORD_CHARACTERS,
        max_length=forms.MAX_PASSWORD_CHARACTERS,
        extra_json_schema={"format": "password"},
    ),
]
RefreshToken = Annotated[str, Meta(min_length=1, max_length=forms.MAX_TOKEN_CHARACTERS)]


class SignUpForm(Struct):
    """`accept_terms` must be true."""

    name: Annotated[str, Meta(min_length=1, max_length=forms.MAX_NAME_CHARACTERS)]
    email: EmailText
    password: NewPassword
    accept_terms: bool
    marketing_opt_in: bool = False


class ConfirmationForm(Struct):
    """The mailed code, and the password of the sign-up."""

    email: EmailText
    code: CodeText
    password: Password


class EmailForm(Struct):
    """The address of an account, or of none: the response is the same."""

    email: EmailText


class PasswordLogin(Struct):
    """A login with a password; with `cookie` from our own page, the refresh token goes into its cookie."""

    email: EmailText
    password: Password
    cookie: bool = False


class RefreshLogin(Struct):
    """A login with the refresh token of an earlier one."""

    refresh_token: RefreshToken


class CookieLogin(Struct):
    """A login of our own page with its cookie."""

    cookie: Literal[True]


class ResetForm(Struct):
    """The mailed code, and the new password."""

    email: EmailText
    code: CodeText
    password: NewPassword


class LogoutForm(Struct):
    """`refresh_token`: this session's, to revoke it too; with `cookie` it is the cookie's, which is deleted.

    `everywhere`: every session of the person ends.
    """

    refresh_token: RefreshToken | None = None
    cookie: bool = False
    everywhere: bool = False


class PasswordChangeForm(Struct):
    """`password` is the current one."""

    password: Password
    new_password: NewPassword


class ConfirmationSent(Struct):
    """A code is mailed to the address, unless that would reveal who has an account."""

    status: Literal["confirmation_sent"]


class CodeSent(Struct):
    """A code is mailed, if the address has an account."""

    status: Literal["code_sent"]


class ConfirmedSignUp(Struct):
    """The new account."""

    status: Literal["confirmed"]
    tenant_id: str


class LoggedOut(Struct):
    """The session ended."""

    status: Literal["logged_out"]


class PasswordChanged(Struct):
    """All sessions ended."""

    status: Literal["password_changed"]


class LoginTokens(Struct):
    """`expires_in`: seconds until `access_token` expires."""

    access_token: SecretField
    refresh_token: SecretField | None
    expires_in: int
    token_type: Literal["Bearer"]


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


class AuditEntry(Struct, rename={"source": "from"}):
    """`actor` made the change from the address `from`; `subject` is the id of the changed thing."""

    id: str
    at: TimestampText
    actor: str
    action: str
    subject: str
    source: str
    user_agent: str


class AuditEntries(Struct):
    """Entries, newest first; `next_cursor` is null on the last page."""

    entries: list[AuditEntry]
    next_cursor: str | None


class ListedAnnouncement(Struct):
    """`effective_on`: the day on which a policy change takes effect."""

    id: str
    at: TimestampText
    kind: str
    title: str
    text: str
    effective_on: str | None


class AnnouncementList(Struct):
    """Announcements to the account and to all accounts, newest first."""

    announcements: list[ListedAnnouncement]


_EMAIL, _PASSWORD, _CODE = "ada@example.com", "violet-teapot-91-orbit", "123456"
_TOKENS = {"access_token": "eyJ…", "refresh_token": "r1.…", "expires_in": 3600, "token_type": "Bearer"}
_FORM = ("invalid_<field>", "invalid_body")
_PROFILE = {
    "tenant_id": "t_7gk2m4q8",
    "name": "Ada",
    "email": _EMAIL,
    "plan": "trial",
    "retention_days": 15,
    "marketing_opt_in": False,
    "terms_version": "2026-11-01",
    "terms_accepted_at": "2026-11-23T10:00:00Z",
    "created_at": "2026-11-23T10:00:00Z",
    "closes_at": None,
}
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

_SIGN_IN: Operations = {
    "POST /v1/signup": Operation(
        "signUp",
        "Sign up",
        "none",
        {
            202: Reply(
                "The same, whether the address has an account or not.",
                ConfirmationSent,
                {"status": "confirmation_sent"},
            )
        },
        description="A code is mailed to the address. The password must not be a common one.",
        body=Body.json(
            SignUpForm, {"name": "Ada", "email": _EMAIL, "password": _PASSWORD, "accept_terms": True}
        ),
        errors=_FORM,
        page="api.md#sign-up-and-confirm",
    ),
    "POST /v1/signup/confirm": Operation(
        "confirmSignUp",
        "Confirm a sign-up with the mailed code",
        "none",
        {
            200: Reply(
                "The account exists.", ConfirmedSignUp, {"status": "confirmed", "tenant_id": "t_7gk2m4q8"}
            )
        },
        body=Body.json(ConfirmationForm, {"email": _EMAIL, "code": _CODE, "password": _PASSWORD}),
        errors=(
            *_FORM,
            "invalid_code",
            "invalid_login",
            "no_session",
            "cross_site_request",
            "unconfirmed",
            "no_account",
            "second_factor_required",
            "too_many_attempts",
        ),
        page="api.md#sign-up-and-confirm",
    ),
    "POST /v1/signup/resend": Operation(
        "resendCode",
        "Mail the code of a sign-up again",
        "none",
        {202: Reply("Always.", ConfirmationSent, {"status": "confirmation_sent"})},
        body=Body.json(EmailForm, {"email": _EMAIL}),
        errors=(*_FORM, "too_many_attempts"),
        page="api.md#signing-in",
    ),
    "POST /v1/login": Operation(
        "logIn",
        "Log in with a password, a refresh token or a browser's cookie",
        "none",
        {200: Reply("The tokens of the session.", LoginTokens, _TOKENS)},
        body=Body.json((PasswordLogin, RefreshLogin, CookieLogin), {"email": _EMAIL, "password": _PASSWORD}),
        errors=(
            *_FORM,
            "invalid_login",
            "unconfirmed",
            "no_account",
            "second_factor_required",
            "too_many_attempts",
        ),
        page="api.md#signing-in",
    ),
    "POST /v1/password/forgot": Operation(
        "forgotPassword",
        "Mail a code to reset the password",
        "none",
        {202: Reply("Always.", CodeSent, {"status": "code_sent"})},
        body=Body.json(EmailForm, {"email": _EMAIL}),
        errors=(*_FORM, "too_many_attempts"),
        page="api.md#signing-in",
    ),
    "POST /v1/password/reset": Operation(
        "resetPassword",
        "Set a new password with the mailed code",
        "none",
        {200: Reply("Every session ended.", PasswordChanged, {"status": "password_changed"})},
        body=Body.json(ResetForm, {"email": _EMAIL, "code": _CODE, "password": _PASSWORD}),
        errors=(*_FORM, "invalid_code", "too_many_attempts"),
        page="api.md#signing-in",
    ),
    "POST /v1/password/change": Operation(
        "changePassword",
        "Change the password",
        "access token",
        {
            200: Reply(
                "Every session ended, this one included.", PasswordChanged, {"status": "password_changed"}
            )
        },
        body=Body.json(PasswordChangeForm, {"password": _PASSWORD, "new_password": "copper-lantern-48-tide"}),
        errors=(*_FORM, "no_owner", "concurrent_change"),
        page="api.md#ending-sessions",
    ),
    "POST /v1/logout": Operation(
        "logOut",
        "End this session, or all sessions of the person",
        "access token",
        {200: Reply("The session ended.", LoggedOut, {"status": "logged_out"})},
        body=Body.json(LogoutForm, {"everywhere": False}, required=False),
        errors=(*_FORM, "cross_site_request"),
        page="api.md#ending-sessions",
    ),
}

_ACCOUNT: Operations = {
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
        body=Body.json(account_forms.EmailCodeForm, {"code": _CODE}),
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
    "GET /v1/audit": Operation(
        "listAuditEntries",
        "Read the audit trail",
        "admin",
        {
            200: Reply(
                "A page of entries, newest first.",
                AuditEntries,
                {
                    "entries": [
                        {
                            "id": "01m89jaepfjtjc8cm4g2e0y51v",
                            "at": "2026-11-23T10:00:00.000Z",
                            "actor": "key:key_3f9c1b7a",
                            "action": "key.created",
                            "subject": "key_90d2e6c4",
                            "from": "192.0.2.7",
                            "user_agent": "curl/8.5.0",
                        }
                    ],
                    "next_cursor": None,
                },
            )
        },
        parameters=(
            Parameter("limit", "Entries on a page.", Annotated[int, Meta(ge=1, le=MAX_PAGE)], example=50),
            Parameter(
                "cursor",
                "The `next_cursor` of the previous page.",
                Annotated[str, Meta(pattern="^[0-9a-z]{26}$")],
            ),
        ),
        errors=("invalid_<field>",),
        page="account.md#read-the-audit-trail",
    ),
    "GET /v1/announcements": Operation(
        "listAnnouncements",
        "Read announcements",
        "admin",
        {
            200: Reply(
                "Announcements to the account and to all accounts, newest first.",
                AnnouncementList,
                {
                    "announcements": [
                        {
                            "id": "policy-2026-12",
                            "at": "2026-11-23T10:00:00.000Z",
                            "kind": "policy",
                            "title": "Privacy policy",
                            "text": "The privacy policy changes on 2026-12-31.",
                            "effective_on": "2026-12-31",
                        }
                    ]
                },
            )
        },
        parameters=(
            Parameter(
                "since",
                "Announcements after this time.",
                account_forms.Timestamp,
                example="2026-11-01T00:00:00Z",
            ),
        ),
        errors=("invalid_<field>",),
        page="account.md#read-announcements",
    ),
}

OPERATIONS: Operations = {**_SIGN_IN, **_ACCOUNT}
