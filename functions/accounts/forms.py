"""Request bodies of the public routes, decoded and validated. Passwords become `SecretText` when decoded.

Each rejection is a 400. Its code names the field, `invalid_<field>`, and its message says what the field must
be; the message never contains the value that was sent. For `unknown_field` it lists the allowed fields.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from functions.accounts.weak_passwords import weakness
from functions.shared.errors import HttpError
from functions.shared.forms import invalid, missing, unknown_field
from functions.shared.secret_text import SecretText

MIN_PASSWORD_CHARACTERS = 12
MAX_PASSWORD_CHARACTERS = 256
MAX_EMAIL_CHARACTERS = 128
MAX_NAME_CHARACTERS = 200
MAX_TOKEN_CHARACTERS = 8192

_EMAIL = re.compile(r"[a-z0-9._%+-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_CODE = re.compile(r"[0-9]{6}")
_TOKEN = re.compile(r"[A-Za-z0-9_=.-]+")


@dataclass(frozen=True, slots=True)
class SignUp:
    name: str = field(repr=False)
    email: str = field(repr=False)
    password: SecretText
    marketing_opt_in: bool


@dataclass(frozen=True, slots=True)
class Confirmation:
    email: str = field(repr=False)
    code: SecretText
    password: SecretText


@dataclass(frozen=True, slots=True)
class LogIn:
    """`cookie`: the refresh token goes into the browser's cookie."""

    email: str = field(repr=False)
    password: SecretText
    cookie: bool = False


@dataclass(frozen=True, slots=True)
class Refresh:
    token: SecretText


@dataclass(frozen=True, slots=True)
class CookieRefresh:
    """A refresh with the token in the browser's cookie."""


@dataclass(frozen=True, slots=True)
class Reset:
    email: str = field(repr=False)
    code: SecretText
    password: SecretText


@dataclass(frozen=True, slots=True)
class PasswordChange:
    old: SecretText
    new: SecretText

    def reject_weak(self, *own_words: str) -> None:
        """Reject the new password with 400 when it is weak for the person of these words."""
        _reject_weak("new_password", self.new, own_words)


@dataclass(frozen=True, slots=True)
class LogOut:
    """`token`: the session's refresh token, which is then revoked too; with `cookie` it is in the cookie."""

    everywhere: bool
    token: SecretText | None
    cookie: bool = False


def sign_up(body: bytes) -> SignUp:
    """`POST /v1/signup`."""
    fields = _Fields(body, "name", "email", "password", "accept_terms", optional=("marketing_opt_in",))
    name, email = fields.name(), fields.email()
    form = SignUp(
        name=name,
        email=email,
        password=fields.new_password("password", (email, name)),
        marketing_opt_in=fields.flag("marketing_opt_in"),
    )
    if not fields.flag("accept_terms"):
        raise invalid("accept_terms", "must be true: accepting the terms is required")
    return form


def confirmation(body: bytes) -> Confirmation:
    """`POST /v1/signup/confirm`."""
    fields = _Fields(body, "email", "code", "password")
    return Confirmation(fields.email(), fields.code(), fields.password())


def log_in(body: bytes) -> LogIn | Refresh | CookieRefresh:
    """`POST /v1/login`, with a password, a refresh token or the browser's cookie."""
    fields = _Fields(body, optional=("email", "password", "refresh_token", "cookie"))
    cookie = fields.flag("cookie")
    if fields.has("refresh_token"):
        return Refresh(fields.token())
    if cookie and not fields.has("email") and not fields.has("password"):
        return CookieRefresh()
    fields.require("email", "password", hint=": send 'email' and 'password', or 'refresh_token'")
    return LogIn(fields.email(), fields.password(), cookie)


def email_of(body: bytes) -> str:
    """`POST /v1/signup/resend` and `POST /v1/password/forgot`: the email address."""
    return _Fields(body, "email").email()


def reset(body: bytes) -> Reset:
    """`POST /v1/password/reset`."""
    fields = _Fields(body, "email", "code", "password")
    email = fields.email()
    return Reset(email, fields.code(), fields.new_password("password", (email,)))


def password_change(body: bytes) -> PasswordChange:
    """`POST /v1/password/change`; whether the new password is weak depends on its owner."""
    fields = _Fields(body, "password", "new_password")
    return PasswordChange(fields.password(), fields.new_password("new_password", ()))


def log_out(body: bytes) -> LogOut:
    """`POST /v1/logout`; the body may be empty."""
    fields = _Fields(body, optional=("everywhere", "refresh_token", "cookie"))
    token = fields.token() if fields.has("refresh_token") else None
    return LogOut(fields.flag("everywhere"), token, fields.flag("cookie"))


class _Fields:
    """A body's fields, each read as a required type. Missing `required` ones are a 400, and so is a field
    that is neither required nor `optional`: a misspelt choice would otherwise be lost in silence."""

    def __init__(self, body: bytes, *required: str, optional: Sequence[str] = ()) -> None:
        try:
            content = msgspec.json.decode(body or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise HttpError(400, "invalid_body", "The body is not valid JSON.") from None
        if not isinstance(content, dict):
            raise HttpError(400, "invalid_body", "The body is not a JSON object.")
        allowed = (*required, *optional)
        if not content.keys() <= set(allowed):
            raise unknown_field(allowed)  # not its name, which may be a password without its name
        self._content: dict[str, Any] = {
            name: SecretText(value) if name in _SECRET and isinstance(value, str) else value
            for name, value in content.items()
        }
        self.require(*required)

    def require(self, *names: str, hint: str = "") -> None:
        """Reject a body without all of `names` with one 400 that lists every missing one."""
        absent = [name for name in names if not self.has(name)]
        if absent:
            raise missing(absent, hint)

    def has(self, name: str) -> bool:
        return self._content.get(name) is not None

    def name(self) -> str:
        text = self._content.get("name")
        if not isinstance(text, str) or not 1 <= len(text.strip()) <= MAX_NAME_CHARACTERS:
            raise invalid("name", f"must be text of 1 to {MAX_NAME_CHARACTERS} characters")
        if not text.isprintable():
            raise invalid("name", "must not contain control characters")
        return text.strip()

    def email(self) -> str:
        text = self._content.get("email")
        if not isinstance(text, str) or len(text) > MAX_EMAIL_CHARACTERS:
            raise invalid("email", f"must be an e-mail address of at most {MAX_EMAIL_CHARACTERS} characters")
        lowered = text.strip().lower()
        # Some letters become ASCII only when lower-cased; no real address contains them.
        if not text.isascii() or not _EMAIL.fullmatch(lowered):
            raise invalid("email", "must be an e-mail address")
        return lowered

    def flag(self, name: str) -> bool:
        value = self._content.get(name, False)
        if not isinstance(value, bool):
            raise invalid(name, "must be true or false")
        return value

    def password(self) -> SecretText:
        """A password to sign in with: any that was accepted once."""
        return self._secret("password", MAX_PASSWORD_CHARACTERS)

    def new_password(self, field: str, own_words: Sequence[str]) -> SecretText:
        """A new password, checked here so that Cognito never has to reject one."""
        password = self._content.get(field)
        length = len(password.reveal()) if isinstance(password, SecretText) else 0
        if not MIN_PASSWORD_CHARACTERS <= length <= MAX_PASSWORD_CHARACTERS:
            raise invalid(
                field,
                f"must be text of {MIN_PASSWORD_CHARACTERS} to {MAX_PASSWORD_CHARACTERS} characters",
            )
        checked = self._secret(field, MAX_PASSWORD_CHARACTERS)
        if not checked.reveal().isprintable() or " " in checked.reveal():
            raise invalid(field, "must not contain spaces or control characters")
        _reject_weak(field, checked, own_words)
        return checked

    def code(self) -> SecretText:
        code = self._content.get("code")
        if not isinstance(code, SecretText) or not _CODE.fullmatch(code.reveal()):
            raise invalid("code", "must be the mailed code: six digits, as text")
        return code

    def token(self) -> SecretText:
        token = self._secret("refresh_token", MAX_TOKEN_CHARACTERS)
        if not _TOKEN.fullmatch(token.reveal()):
            raise invalid("refresh_token", "must be the refresh token of a login")
        return token

    def _secret(self, name: str, most: int) -> SecretText:
        secret = self._content.get(name)
        if not isinstance(secret, SecretText) or not 1 <= len(secret.reveal()) <= most:
            raise invalid(name, f"must be text of 1 to {most} characters")
        return secret


_SECRET = ("password", "new_password", "code", "refresh_token")


def _reject_weak(field: str, password: SecretText, own_words: Sequence[str]) -> None:
    wrong = weakness(password.reveal(), own_words, MIN_PASSWORD_CHARACTERS)
    if wrong is not None:
        raise invalid(field, wrong)
