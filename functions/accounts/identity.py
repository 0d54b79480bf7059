"""The identity provider. Only this module and functions.privacy.sign_ins create a Cognito client.

Cognito stores passwords, mails codes and issues tokens; we store the rest. Passwords are checked only through
the administrator's API (AdminInitiateAuth), and every other call needs the client's secret: knowing the
client's public id is not enough to guess passwords without passing our counters. Exceptions never contain the
request, which holds a password, a code or a token. Email addresses are passed in lower case.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from functions.accounts.client_secret import ClientSecret, SecretUnavailableError
from functions.accounts.identity_errors import (
    NO_SUCH_CODE,
    NOT_A_LIVE_TOKEN,
    SILENT,
    WEAK,
    AddressTakenError,
    CognitoRefusedError,
    IdentityUnavailableError,
    SecondFactorError,
    WeakPasswordError,
    WrongCodeError,
    error_of_call,
    error_of_sign_in,
    error_of_sign_up,
)
from functions.accounts.session_tokens import SessionTokens, session_tokens
from functions.shared.aws_client import asked, client
from functions.shared.secret_text import SecretText

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CognitoUser:
    """An identity at Cognito."""

    subject: str
    confirmed: bool


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
        except CognitoRefusedError as refused:
            raise error_of_sign_up(refused.code) from None
        subject: str = answer["UserSub"]
        return subject

    def find(self, email: str) -> CognitoUser | None:
        """The identity with this address, or None."""
        try:
            answer = self._call("admin_get_user", UserPoolId=self._pool, Username=email)
        except CognitoRefusedError as refused:
            if refused.code == "UserNotFoundException":
                return None
            raise IdentityUnavailableError(refused.code) from None
        attributes = {each["Name"]: each["Value"] for each in answer["UserAttributes"]}
        return CognitoUser(attributes["sub"], confirmed=answer["UserStatus"] != "UNCONFIRMED")

    def remove(self, subject: str) -> None:
        """Delete an identity by its subject; its address may belong to another identity by now."""
        try:
            self._call("admin_delete_user", UserPoolId=self._pool, Username=subject)
        except CognitoRefusedError as refused:
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
        except CognitoRefusedError as refused:
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
        except CognitoRefusedError as refused:
            raise error_of_sign_in(refused.code) from None
        if "AuthenticationResult" not in answer:
            raise SecondFactorError("a second factor is asked for")
        return session_tokens(answer["AuthenticationResult"])

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
        except CognitoRefusedError as refused:
            raise error_of_sign_in(refused.code) from None
        return session_tokens(answer["AuthenticationResult"])

    def revoke(self, token: SecretText) -> None:
        """Revoke a refresh token; one that has ended already stays ended."""
        try:
            self._call(
                "revoke_token",
                Token=token.reveal(),
                ClientId=self._client_id,
                ClientSecret=self._known(self._secret.secret).reveal(),
            )
        except CognitoRefusedError as refused:
            if refused.code not in NOT_A_LIVE_TOKEN:
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
        except CognitoRefusedError as refused:
            if refused.code in WEAK:
                raise WeakPasswordError("the pool's policy refuses the password") from None
            raise error_of_sign_in(refused.code) from None

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
        except CognitoRefusedError as refused:
            raise error_of_sign_in(refused.code) from None
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
        except CognitoRefusedError as refused:
            if refused.code == "AliasExistsException":
                raise AddressTakenError("the address is taken") from None
            raise error_of_sign_in(refused.code) from None

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
        except CognitoRefusedError as refused:
            if refused.code in WEAK:
                raise WeakPasswordError("the pool's policy refuses the password") from None
            if refused.code in NO_SUCH_CODE or refused.code == "AliasExistsException":
                raise WrongCodeError("the code is not good") from None
            raise IdentityUnavailableError(refused.code) from None

    def _silently(self, operation: str, **parameters: str) -> None:
        try:
            self._call(operation, **parameters)
        except CognitoRefusedError as refused:
            if refused.code not in SILENT:
                raise IdentityUnavailableError(refused.code) from None

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = asked(lambda: getattr(self._client, operation)(**parameters), error_of_call)
        return answer
