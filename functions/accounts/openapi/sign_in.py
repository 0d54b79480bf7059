"""Documentation of the routes of sign-in.

The forms are read field by field (functions.accounts.forms). Their types are only here; a test compares them
with what the routes reject.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from functions.accounts import forms
from functions.accounts.account_forms import CodeText
from functions.accounts.openapi.shapes import CODE, EMAIL, ConfirmationSent, EmailText
from functions.shared.openapi import (
    INVALID_BODY,
    Body,
    Operation,
    Operations,
    Reply,
    SecretField,
)

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


class SignUpForm(Struct, forbid_unknown_fields=True):
    """`accept_terms` must be true."""

    name: Annotated[str, Meta(min_length=1, max_length=forms.MAX_NAME_CHARACTERS)]
    email: EmailText
    password: NewPassword
    accept_terms: bool
    marketing_opt_in: bool = False


class ConfirmationForm(Struct, forbid_unknown_fields=True):
    """The mailed code, and the password of the sign-up."""

    email: EmailText
    code: CodeText
    password: Password


class EmailForm(Struct, forbid_unknown_fields=True):
    """The address of an account, or of none: the response is the same."""

    email: EmailText


class PasswordLogin(Struct, forbid_unknown_fields=True):
    """A login with a password; with `cookie` from our own page, the refresh token goes into its cookie."""

    email: EmailText
    password: Password
    cookie: bool = False


class RefreshLogin(Struct, forbid_unknown_fields=True):
    """A login with the refresh token of an earlier one."""

    refresh_token: RefreshToken


class CookieLogin(Struct, forbid_unknown_fields=True):
    """A login of our own page with its cookie."""

    cookie: Literal[True]


class ResetForm(Struct, forbid_unknown_fields=True):
    """The mailed code, and the new password."""

    email: EmailText
    code: CodeText
    password: NewPassword


class LogoutForm(Struct, forbid_unknown_fields=True):
    """`refresh_token`: this session's, to revoke it too; with `cookie` it is the cookie's, which is deleted.

    `everywhere`: every session of the person ends.
    """

    refresh_token: RefreshToken | None = None
    cookie: bool = False
    everywhere: bool = False


class PasswordChangeForm(Struct, forbid_unknown_fields=True):
    """`password` is the current one."""

    password: Password
    new_password: NewPassword


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


_PASSWORD, _NEW_PASSWORD = "violet-teapot-91-orbit", "copper-lantern-48-tide"
_TOKENS = {"access_token": "eyJ…", "refresh_token": "r1.…", "expires_in": 3600, "token_type": "Bearer"}

OPERATIONS: Operations = {
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
            SignUpForm, {"name": "Ada", "email": EMAIL, "password": _PASSWORD, "accept_terms": True}
        ),
        errors=INVALID_BODY,
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
        body=Body.json(ConfirmationForm, {"email": EMAIL, "code": CODE, "password": _PASSWORD}),
        errors=(
            *INVALID_BODY,
            "invalid_code",
            "invalid_login",
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
        body=Body.json(EmailForm, {"email": EMAIL}),
        errors=(*INVALID_BODY, "too_many_attempts"),
        page="api.md#signing-in",
    ),
    "POST /v1/login": Operation(
        "logIn",
        "Log in with a password, a refresh token or a browser's cookie",
        "none",
        {200: Reply("The tokens of the session.", LoginTokens, _TOKENS)},
        body=Body.json((PasswordLogin, RefreshLogin, CookieLogin), {"email": EMAIL, "password": _PASSWORD}),
        errors=(
            *INVALID_BODY,
            "invalid_login",
            "no_session",
            "cross_site_request",
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
        body=Body.json(EmailForm, {"email": EMAIL}),
        errors=(*INVALID_BODY, "too_many_attempts"),
        page="api.md#signing-in",
    ),
    "POST /v1/password/reset": Operation(
        "resetPassword",
        "Set a new password with the mailed code",
        "none",
        {200: Reply("Every session ended.", PasswordChanged, {"status": "password_changed"})},
        body=Body.json(ResetForm, {"email": EMAIL, "code": CODE, "password": _PASSWORD}),
        errors=(*INVALID_BODY, "invalid_code", "no_account", "too_many_attempts"),
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
        body=Body.json(PasswordChangeForm, {"password": _PASSWORD, "new_password": _NEW_PASSWORD}),
        errors=(*INVALID_BODY, "no_owner", "concurrent_change"),
        page="api.md#ending-sessions",
    ),
    "POST /v1/logout": Operation(
        "logOut",
        "End this session, or all sessions of the person",
        "access token",
        {200: Reply("The session ended.", LoggedOut, {"status": "logged_out"})},
        body=Body.json(LogoutForm, {"everywhere": False}, required=False),
        errors=(*INVALID_BODY, "cross_site_request"),
        page="api.md#ending-sessions",
    ),
}
