"""The identity provider. Only this module and functions.privacy.sign_ins create a Cognito client.

Cognito stores passwords, mails codes and issues tokens; we store the rest. Passwords are checked only through
the administrator's API (AdminInitiateAuth), and every other call needs the client's secret: knowing the
client's public id is not enough to guess passwords without passing our counters. Exceptions never contain the
request, which holds a password, a code or a token. Email addresses are passed in lower case.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from functions.accounts.client_secret import ClientSecret, SecretUnavailableError
from functions.shared.aws_client import asked, client
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.secret_text import SecretText

T = TypeVar("T")


class IdentityUnavailableError(RetryableError):
    """Cognito did not answer, or throttles us."""


class AddressTakenError(PermanentError):
    """An identity with this address exists already, confirmed or not."""


class WrongPasswordError(PermanentError):
    """Address and password do not match, or the refresh token is not valid."""


class UnconfirmedError(PermanentError):
    """The person has not confirmed the address; says nothing about the password."""


class SecondFactorError(PermanentError):
    """The password was right, but the person has a second factor, which is not supported yet."""


class WrongCodeError(PermanentError):
    """The code is wrong, used or expired, or the address is unknown."""


class WeakPasswordError(PermanentError):
    """The pool's password policy rejects the password."""


@dataclass(frozen=True, slots=True)
class CognitoUser:
    """An identity at Cognito."""

    subject: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """Tokens of a sign-in or refresh; `refresh` is None after a refresh. `expires_in` in seconds.

    `session` and `signed_in_at` (Unix seconds) are the same for all tokens of one sign-in.
    """

    subject: str
    session: str
    signed_in_at: int
    access: SecretText
    refresh: SecretText | None
    expires_in: int


class _RefusedError(Exception):
    """Cognito rejected the call; `code` is its error code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_BUSY = {
    "TooManyRequestsException",
    "InternalErrorException",
    "ThrottlingException",
    "CodeDeliveryFailureException",
}
_NO_SUCH_CODE = {
    "CodeMismatchException",
    "ExpiredCodeException",
    "UserNotFoundException",
    "NotAuthorizedException",
    "InvalidParameterException",
    # Limits for one user: a different answer than for a wrong code would reveal which users exist.
    "TooManyFailedAttemptsException",
    "LimitExceededException",
    "UserNotConfirmedException",
}
_SILENT = _NO_SUCH_CODE
"""Errors of a request for a mail that are hidden from the caller."""

_WEAK = ("InvalidPasswordException", "PasswordHistoryPolicyViolationException")
_NOT_A_LIVE_TOKEN = ("NotAuthorizedException", "InvalidParameterException", "UnsupportedTokenTypeException")


class Identity:
    """Calls one user pool as one client.

    Every method raises IdentityUnavailableError when Cognito fails.
    """

    def __init__(self, pool: str, client_id: str, cognito: Any = None) -> None:
        self._pool = pool
        self._client_id = client_id
        self._client = cognito or client("cognito-idp")
        self._secret = ClientSecret(pool, client_id, self._client)

    def sign_up(self, email: str, password: SecretText) -> str:
        """Create an identity, mail a code, and return its subject.

        Raises
        ------
        AddressTakenError, WeakPasswordError.
        """
        try:
            answer = self._call(
                "sign_up",
                **self._as_client(email),
                Password=password.reveal(),
                UserAttributes=[{"Name": "email", "Value": email}],
            )
        except _RefusedError as refused:
            raise _of_sign_up(refused.code) from None
        subject: str = answer["UserSub"]
        return subject

    def find(self, email: str) -> CognitoUser | None:
        """The identity with this address, or None."""
        try:
            answer = self._call("admin_get_user", UserPoolId=self._pool, Username=email)
        except _RefusedError as refused:
            if refused.code == "UserNotFoundException":
                return None
            raise IdentityUnavailableError(refused.code) from None
        attributes = {each["Name"]: each["Value"] for each in answer["UserAttributes"]}
        return CognitoUser(attributes["sub"], confirmed=answer["UserStatus"] != "UNCONFIRMED")

    def remove(self, subject: str) -> None:
        """Delete an identity by its subject; its address may belong to another identity by now."""
        try:
            self._call("admin_delete_user", UserPoolId=self._pool, Username=subject)
        except _RefusedError as refused:
            if refused.code != "UserNotFoundException":
                raise IdentityUnavailableError(refused.code) from None

    def confirm(self, email: str, code: SecretText) -> None:
        """Confirm a sign-up with the mailed code; the identity may sign in from now on.

        Raises
        ------
        WrongCodeError: also for an identity that is confirmed already.
        """
        self._with_code("confirm_sign_up", **self._as_client(email), ConfirmationCode=code.reveal())

    def mail_confirmation(self, email: str) -> None:
        """Mail a new code to an unconfirmed identity; for any other address do nothing, without an error."""
        self._silently("resend_confirmation_code", **self._as_client(email))

    def mail_reset(self, email: str) -> None:
        """Mail a code for a password reset; for an unknown address do nothing, without an error."""
        self._silently("forgot_password", **self._as_client(email))

    def reset(self, email: str, code: SecretText, password: SecretText) -> None:
        """Set a password with a code from `mail_reset`; existing sessions continue until `end_sessions`.

        Raises
        ------
        WrongCodeError, WeakPasswordError.
        """
        self._with_code(
            "confirm_forgot_password",
            **self._as_client(email),
            ConfirmationCode=code.reveal(),
            Password=password.reveal(),
        )

    def end_sessions(self, subject: str) -> None:
        """Revoke all refresh tokens issued until now; does nothing for an unknown subject."""
        try:
            self._call("admin_user_global_sign_out", UserPoolId=self._pool, Username=subject)
        except _RefusedError as refused:
            if refused.code != "UserNotFoundException":
                raise IdentityUnavailableError(refused.code) from None

    def log_in(self, email: str, password: SecretText) -> SessionTokens:
        """Sign in.

        Raises
        ------
        WrongPasswordError, UnconfirmedError, SecondFactorError.
        """
        try:
            answer = self._call(
                "admin_initiate_auth",
                UserPoolId=self._pool,
                ClientId=self._client_id,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={
                    "USERNAME": email,
                    "PASSWORD": password.reveal(),
                    "SECRET_HASH": self._hash_for(email),
                },
            )
        except _RefusedError as refused:
            raise _of_sign_in(refused.code) from None
        if "AuthenticationResult" not in answer:
            raise SecondFactorError("a second factor is asked for")
        return _tokens(answer["AuthenticationResult"])

    def refresh(self, token: SecretText) -> SessionTokens:
        """A new access token for a refresh token.

        Uses GetTokensFromRefreshToken, because REFRESH_TOKEN_AUTH needs a hash over the username of the
        token, which only Cognito can read in it.

        Raises
        ------
        WrongPasswordError: the token was not issued here, or has ended.
        """
        try:
            answer = self._call(
                "get_tokens_from_refresh_token",
                ClientId=self._client_id,
                ClientSecret=self._known(self._secret.secret).reveal(),
                RefreshToken=token.reveal(),
            )
        except _RefusedError as refused:
            raise _of_sign_in(refused.code) from None
        return _tokens(answer["AuthenticationResult"])

    def revoke(self, token: SecretText) -> None:
        """Revoke a refresh token; one that has ended already stays ended."""
        try:
            self._call(
                "revoke_token",
                Token=token.reveal(),
                ClientId=self._client_id,
                ClientSecret=self._known(self._secret.secret).reveal(),
            )
        except _RefusedError as refused:
            if refused.code not in _NOT_A_LIVE_TOKEN:
                raise IdentityUnavailableError(refused.code) from None

    def change_password(self, access: SecretText, old: SecretText, new: SecretText) -> None:
        """Set a password with the old one; existing sessions continue until `end_sessions`.

        Raises
        ------
        WrongPasswordError: also when the access token is not valid.
        WeakPasswordError.
        """
        try:
            self._call(
                "change_password",
                AccessToken=access.reveal(),
                PreviousPassword=old.reveal(),
                ProposedPassword=new.reveal(),
            )
        except _RefusedError as refused:
            if refused.code in _WEAK:
                raise WeakPasswordError("the pool's policy refuses the password") from None
            raise _of_sign_in(refused.code) from None

    def sign(self, purpose: str, text: str) -> str:
        """A signature that only we can make; see ClientSecret.sign."""
        return self._known(lambda: self._secret.sign(purpose, text))

    def verified_email(self, access: SecretText) -> str | None:
        """The verified address at Cognito, in lower case; None while none is verified.

        Raises
        ------
        WrongPasswordError: the access token is not valid.
        """
        try:
            answer = self._call("get_user", AccessToken=access.reveal())
        except _RefusedError as refused:
            raise _of_sign_in(refused.code) from None
        attributes = {each["Name"]: each["Value"] for each in answer["UserAttributes"]}
        if attributes.get("email_verified") != "true":
            return None
        email: str = attributes["email"].lower()
        return email

    def change_email(self, access: SecretText, email: str) -> None:
        """Mail a code to the new address; the old one stays valid until `confirm_email`.

        Raises
        ------
        AddressTakenError: another identity has it.
        WrongPasswordError: the access token is not valid.
        """
        try:
            self._call(
                "update_user_attributes",
                AccessToken=access.reveal(),
                UserAttributes=[{"Name": "email", "Value": email}],
            )
        except _RefusedError as refused:
            if refused.code == "AliasExistsException":
                raise AddressTakenError("the address is taken") from None
            raise _of_sign_in(refused.code) from None

    def confirm_email(self, access: SecretText, code: SecretText) -> None:
        """Confirm a new address with the code that `change_email` mailed; it replaces the old one.

        Raises
        ------
        WrongCodeError: also when another identity took the address in the meantime.
        """
        self._with_code(
            "verify_user_attribute",
            AccessToken=access.reveal(),
            AttributeName="email",
            Code=code.reveal(),
        )

    def _as_client(self, username: str) -> dict[str, str]:
        """The parameters of an unsigned call: client id, secret hash and username."""
        return {
            "ClientId": self._client_id,
            "Username": username,
            "SecretHash": self._hash_for(username),
        }

    def _hash_for(self, username: str) -> str:
        return self._known(lambda: self._secret.hash_for(username))

    def _known(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except SecretUnavailableError as fault:
            raise IdentityUnavailableError(str(fault)) from None

    def _with_code(self, operation: str, **parameters: str) -> None:
        try:
            self._call(operation, **parameters)
        except _RefusedError as refused:
            if refused.code in _WEAK:
                raise WeakPasswordError("the pool's policy refuses the password") from None
            if refused.code in _NO_SUCH_CODE or refused.code == "AliasExistsException":
                raise WrongCodeError("the code is not good") from None
            raise IdentityUnavailableError(refused.code) from None

    def _silently(self, operation: str, **parameters: str) -> None:
        try:
            self._call(operation, **parameters)
        except _RefusedError as refused:
            if refused.code not in _SILENT:
                raise IdentityUnavailableError(refused.code) from None

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = asked(lambda: getattr(self._client, operation)(**parameters), _failed)
        return answer


def _failed(code: str) -> Exception:
    """Names of Cognito's own errors contain "Exception"; any other error did not come from Cognito."""
    if code in _BUSY or not code.endswith("Exception"):
        return IdentityUnavailableError(f"Cognito: {code}")
    return _RefusedError(code)


def _of_sign_up(code: str) -> Exception:
    match code:
        case "UsernameExistsException" | "AliasExistsException":
            return AddressTakenError("the address is taken")
        case "InvalidPasswordException" | "InvalidParameterException":
            return WeakPasswordError("the pool's policy refuses the password")
        case _:
            return IdentityUnavailableError(f"Cognito: {code}")


def _of_sign_in(code: str) -> Exception:
    match code:
        case "UserNotConfirmedException":
            return UnconfirmedError("the address is not confirmed")
        case (
            "NotAuthorizedException"
            | "UserNotFoundException"
            | "InvalidParameterException"
            | "PasswordResetRequiredException"
            | "RefreshTokenReuseException"
            # Cognito's limit on one user's attempts at the old password, in addition to ours.
            | "LimitExceededException"
        ):
            return WrongPasswordError("address and password do not belong together")
        case _:
            return IdentityUnavailableError(f"Cognito: {code}")


def _tokens(result: dict[str, Any]) -> SessionTokens:
    access: str = result["AccessToken"]
    refresh = result.get("RefreshToken")
    claims = _claims(access)
    return SessionTokens(
        subject=claims["sub"],
        session=claims["origin_jti"],
        signed_in_at=claims["auth_time"],
        access=SecretText(access),
        refresh=SecretText(refresh) if refresh else None,
        expires_in=result["ExpiresIn"],
    )


def _claims(access: str) -> dict[str, Any]:
    """Read the claims without verification: the token comes directly from Cognito."""
    payload = access.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
