"""What the identity provider's error codes mean: which of our errors each is, by the call that it answers.

Exceptions never contain the request, which holds a password, a code or a token.
"""

from functions.shared.errors import PermanentError, RetryableError


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


class CognitoRefusedError(Exception):
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
NO_SUCH_CODE = {
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
SILENT = NO_SUCH_CODE
"""Errors of a request for a mail that are hidden from the caller."""

WEAK = ("InvalidPasswordException", "PasswordHistoryPolicyViolationException")
NOT_A_LIVE_TOKEN = ("NotAuthorizedException", "InvalidParameterException", "UnsupportedTokenTypeException")


def error_of_call(code: str) -> Exception:
    """Names of Cognito's own errors contain "Exception"; any other error did not come from Cognito."""
    if code in _BUSY or not code.endswith("Exception"):
        return IdentityUnavailableError(f"Cognito: {code}")
    return CognitoRefusedError(code)


def error_of_sign_up(code: str) -> Exception:
    match code:
        case "UsernameExistsException" | "AliasExistsException":
            return AddressTakenError("the address is taken")
        case "InvalidPasswordException" | "InvalidParameterException":
            return WeakPasswordError("the pool's policy refuses the password")
        case _:
            return IdentityUnavailableError(f"Cognito: {code}")


def error_of_sign_in(code: str) -> Exception:
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
