"""moto's Cognito, as strict as the real one where sign-in depends on it.

moto accepts any code, mails none, lacks ResendConfirmationCode, VerifyUserAttribute, RevokeToken and
GetTokensFromRefreshToken, sets `auth_time` to the time of the refresh, lets unconfirmed people sign in,
reveals which accounts exist, allows every client every flow, rarely checks the client's secret, changes
addresses unverified and answers 500 to an unknown refresh token. `install` fixes these. Not imitated: limits
of attempts, risk scores, and one key per pool: all pools of moto sign with one public key, so a local token
proves nothing elsewhere.

As reported of the real service, the sign-in of an unconfirmed person says so, whatever the password.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from typing import Any

from moto.cognitoidp import exceptions as refusals
from moto.cognitoidp import models
from moto.cognitoidp.models import CognitoIdpBackend, CognitoIdpUserPool, RegionAgnosticBackend, UserStatus
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.responses import ActionResult, EmptyResult

from local.codes import Codes, ExpiredError, MismatchError, Purpose
from local.mail import Outbox
from local.user_pool import client_id, pool_id

MAX_PASSWORD_CHARACTERS = 256
WRONG_LOGIN = "Incorrect username or password."
SAME_FLOWS = {"REFRESH_TOKEN": "REFRESH_TOKEN_AUTH", "ADMIN_NO_SRP_AUTH": "ADMIN_USER_PASSWORD_AUTH"}

_admin_initiate_auth = CognitoIdpBackend.admin_initiate_auth
_initiate_auth = CognitoIdpBackend.initiate_auth
_sign_up = CognitoIdpBackend.sign_up
_update_user_attributes = CognitoIdpBackend.update_user_attributes
_admin_user_global_sign_out = CognitoIdpBackend.admin_user_global_sign_out
_create_jwt = CognitoIdpUserPool.create_jwt
_answer_sign_up = CognitoIdpResponse.sign_up
_answer_confirm_forgot_password = CognitoIdpResponse.confirm_forgot_password


def install(outbox: Outbox) -> None:
    """Replace moto's functions until the process ends; codes are mailed into `outbox`."""
    models.generate_id = _id_of_the_name
    CognitoIdpUserPool.create_jwt = create_jwt
    CognitoIdpBackend.outbox = outbox
    CognitoIdpBackend.sign_up = sign_up
    CognitoIdpBackend.confirm_forgot_password = confirm_forgot_password
    CognitoIdpBackend.admin_initiate_auth = admin_initiate_auth
    CognitoIdpBackend.initiate_auth = initiate_auth
    CognitoIdpBackend.admin_user_global_sign_out = admin_user_global_sign_out
    CognitoIdpBackend.update_user_attributes = update_user_attributes
    CognitoIdpBackend._validate_password = validate_password  # noqa: SLF001 - moto calls it by this name
    CognitoIdpResponse.sign_up = _of_a_client(_answer_sign_up)
    CognitoIdpResponse.confirm_sign_up = _of_a_client(confirm_sign_up)
    CognitoIdpResponse.resend_confirmation_code = _of_a_client(resend_confirmation_code)
    CognitoIdpResponse.forgot_password = _of_a_client(forgot_password)
    CognitoIdpResponse.confirm_forgot_password = _of_a_client(_answer_confirm_forgot_password)
    CognitoIdpResponse.get_tokens_from_refresh_token = get_tokens_from_refresh_token
    CognitoIdpResponse.revoke_token = revoke_token
    CognitoIdpResponse.verify_user_attribute = verify_user_attribute


def sign_up(
    backend: Any, client_id: str, username: str, password: str, attributes: list[dict[str, str]]
) -> Any:
    """SignUp: as in moto, and mails a code."""
    user, details = _sign_up(backend, client_id, username, password, attributes)
    _mail_code(backend, user, Purpose.SIGN_UP, user.attribute_lookup["email"])
    return user, details


def confirm_sign_up(response: Any) -> Any:
    """ConfirmSignUp: requires the mailed code."""
    _, _, user = _whom(response)
    if user is None:
        raise _no_code()
    if user.status is not UserStatus.UNCONFIRMED:
        raise refusals.NotAuthorizedError(f"User cannot be confirmed. Current status is {user.status.value}")
    _redeem(user, Purpose.SIGN_UP, response._get_param("ConfirmationCode"))  # noqa: SLF001 - moto's own way
    user.status = UserStatus.CONFIRMED
    user.update_attributes([{"Name": "email_verified", "Value": "true"}])
    return EmptyResult()


def resend_confirmation_code(response: Any) -> Any:
    """ResendConfirmationCode: gives unknown people the same answer as known ones."""
    backend, _, user = _whom(response)
    if user and user.status is not UserStatus.UNCONFIRMED:
        raise refusals.InvalidParameterException("User is already confirmed.")
    if user:
        _mail_code(backend, user, Purpose.SIGN_UP, user.attribute_lookup["email"])
    return _delivered()


def forgot_password(response: Any) -> Any:
    """ForgotPassword: mails a code to verified addresses only."""
    backend, _, user = _whom(response)
    if user and user.attribute_lookup.get("email_verified") != "true":
        raise refusals.InvalidParameterException(
            "Cannot reset password for the user as there is no registered/verified email or phone_number"
        )
    if user:
        _mail_code(backend, user, Purpose.PASSWORD, user.attribute_lookup["email"])
    return _delivered()


def confirm_forgot_password(
    backend: Any, client_id: str, username: str, password: str, confirmation_code: str
) -> None:
    """ConfirmForgotPassword: requires the mailed code."""
    pool = _pool_of(backend, client_id)
    user = _user(pool, username)
    backend._validate_password(pool.id, password)  # noqa: SLF001
    if user is None:
        raise _no_code()
    _redeem(user, Purpose.PASSWORD, confirmation_code)
    user.password = password
    user.status = UserStatus.CONFIRMED


def admin_initiate_auth(
    backend: Any, user_pool_id: str, client_id: str, auth_flow: str, auth_parameters: dict[str, str]
) -> Any:
    """AdminInitiateAuth: only the flows that the client allows; does not reveal which accounts exist."""
    pool = backend.describe_user_pool(user_pool_id)
    _allowed(pool, client_id, auth_flow)
    _proven(pool, client_id, _named(pool, auth_parameters), auth_parameters.get("SECRET_HASH"))
    _checked(pool, client_id, auth_parameters)
    return _admin_initiate_auth(backend, user_pool_id, client_id, auth_flow, auth_parameters)


def initiate_auth(backend: Any, client_id: str, auth_flow: str, auth_parameters: dict[str, str]) -> Any:
    """InitiateAuth, the public API: only the flows that the client allows."""
    pool = _pool_of(backend, client_id)
    _allowed(pool, client_id, auth_flow)
    _proven(pool, client_id, _named(pool, auth_parameters), auth_parameters.get("SECRET_HASH"))
    _checked(pool, client_id, auth_parameters)
    return _initiate_auth(backend, client_id, auth_flow, auth_parameters)


def get_tokens_from_refresh_token(response: Any) -> Any:
    """GetTokensFromRefreshToken: requires the client's secret, not a hash of it."""
    name, token, secret = _given(response, "ClientId", "RefreshToken", "ClientSecret")
    agnostic = RegionAgnosticBackend(response.current_account, response.region)
    backend = agnostic._find_backend_for_clientid(name)  # noqa: SLF001
    pool = _pool_of(backend, name)
    client = pool.clients[name]
    if client.generate_secret and not _same(client.secret, secret):
        raise _unproven(name)
    _checked(pool, name, {"REFRESH_TOKEN": token})
    access, identity, expires_in = pool.create_tokens_from_refresh_token(token)
    result = {"AccessToken": access, "IdToken": identity, "ExpiresIn": expires_in, "TokenType": "Bearer"}
    return ActionResult({"AuthenticationResult": result})


def create_jwt(
    pool: Any,
    client_id: str,
    username: str,
    token_use: str,
    expires_in: int = 3600,
    extra_data: dict[str, Any] | None = None,
) -> Any:
    """An access or ID token: `auth_time` is the start of its session, however often it was refreshed."""
    if not hasattr(pool, "began"):
        pool.began = {}
    extra = dict(extra_data or {})
    extra["auth_time"] = pool.began.setdefault(extra.get("origin_jti"), int(time.time()))
    return _create_jwt(pool, client_id, username, token_use, expires_in, extra)


def revoke_token(response: Any) -> Any:
    """RevokeToken: the refresh token and, for Cognito's own API, the access tokens issued from it."""
    name, token, secret = _given(response, "ClientId", "Token", "ClientSecret")
    agnostic = RegionAgnosticBackend(response.current_account, response.region)
    pool = _pool_of(agnostic._find_backend_for_clientid(name), name)  # noqa: SLF001
    client = pool.clients[name]
    if client.generate_secret and not _same(client.secret, secret):
        raise _unproven(name)
    issued = pool.refresh_tokens.get(token)
    if issued is None:
        return EmptyResult()
    if issued[0] != name:
        raise refusals.NotAuthorizedError("Token was not issued to this client")
    pool.refresh_tokens[token] = None
    for access in [each for each in pool.access_tokens if _session(each) == issued[2]]:
        del pool.access_tokens[access]
    return EmptyResult()


def admin_user_global_sign_out(backend: Any, user_pool_id: str, username: str) -> None:
    """AdminUserGlobalSignOut: accepts any username of the person."""
    user = backend.admin_get_user(user_pool_id, username)
    _admin_user_global_sign_out(backend, user_pool_id, user.username)


def update_user_attributes(backend: Any, access_token: str, attributes: list[dict[str, str]]) -> None:
    """UpdateUserAttributes: a pool that verifies addresses keeps the old one until then."""
    pool, user = _signed_in(backend, access_token)
    settings = pool.extended_config.get("UserAttributeUpdateSettings", {})
    email = next((each["Value"] for each in attributes if each["Name"] == "email"), None)
    if email is None or "email" not in settings.get("AttributesRequireVerificationBeforeUpdate", []):
        _update_user_attributes(backend, access_token, attributes)
        return
    backend._verify_email_is_not_used(pool.id, email)  # noqa: SLF001
    user.update_attributes([each for each in attributes if each["Name"] != "email"])
    user.wanted_email = email
    _mail_code(backend, user, Purpose.EMAIL, email)


def verify_user_attribute(response: Any) -> Any:
    """VerifyUserAttribute: requires the code mailed to the new address."""
    token = response._get_param("AccessToken")  # noqa: SLF001
    backend = RegionAgnosticBackend("", response.region)._find_backend_by_access_token(token)  # noqa: SLF001
    pool, user = _signed_in(backend, token)
    _redeem(user, Purpose.EMAIL, response._get_param("Code"))  # noqa: SLF001
    backend._verify_email_is_not_used(pool.id, user.wanted_email)  # noqa: SLF001
    user.update_attributes(
        [{"Name": "email", "Value": user.wanted_email}, {"Name": "email_verified", "Value": "true"}]
    )
    return EmptyResult()


def validate_password(backend: Any, user_pool_id: str, password: str) -> None:
    """Check the pool's policy and the API's own limits."""
    config = backend.describe_user_pool(user_pool_id).extended_config
    policy = config.get("Policies", {}).get("PasswordPolicy", {})
    wanted = {
        "RequireUppercase": r"[A-Z]",
        "RequireLowercase": r"[a-z]",
        "RequireNumbers": r"[0-9]",
        "RequireSymbols": r"[^A-Za-z0-9]",
    }
    long_enough = policy.get("MinimumLength", 8) <= len(password) <= MAX_PASSWORD_CHARACTERS
    missing = [
        name for name, pattern in wanted.items() if policy.get(name) and not re.search(pattern, password)
    ]
    if not long_enough or missing or re.search(r"\s", password):
        raise refusals.InvalidPasswordException


def _checked(pool: Any, client: str, parameters: dict[str, str]) -> None:
    """Reject invalid requests before moto handles them; pass valid ones on under the person's permanent
    username.

    moto files tokens under the username of the request, and loses them when the address changes.
    """
    if "USERNAME" in parameters and "PASSWORD" in parameters:
        user = _user(pool, parameters["USERNAME"])
        if user and user.status is UserStatus.UNCONFIRMED:
            raise refusals.UserNotConfirmedException("User is not confirmed.")
        if user is None or user.password != parameters["PASSWORD"]:
            raise refusals.NotAuthorizedError(WRONG_LOGIN)
        parameters["USERNAME"] = user.username
    elif "REFRESH_TOKEN" in parameters:
        issued = pool.refresh_tokens.get(parameters["REFRESH_TOKEN"], ())
        if issued is None:
            raise refusals.NotAuthorizedError("Refresh Token has been revoked")
        if not issued or issued[0] != client or _user(pool, issued[1]) is None:
            raise refusals.NotAuthorizedError("Invalid Refresh Token.")


def _allowed(pool: Any, client: str, flow: str) -> None:
    if client not in pool.clients:
        raise refusals.ResourceNotFoundError(f"User pool client {client} does not exist.")
    default = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"]
    allowed = pool.clients[client].extended_config.get("ExplicitAuthFlows", default)
    if f"ALLOW_{SAME_FLOWS.get(flow, flow)}" not in allowed:
        raise refusals.InvalidParameterException(f"{flow} flow not enabled for this client")


def _of_a_client(answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`answer`, after a check of the client's secret; without it the response reveals nothing."""

    def proven(response: Any) -> Any:
        client, username, shown = _given(response, "ClientId", "Username", "SecretHash")
        _, pool, _ = _whom(response)
        _proven(pool, client, username, shown)
        return answer(response)

    return proven


def _proven(pool: Any, client_id: str, username: str, shown: str | None) -> None:
    """Reject unless `shown` is the hash of the client's secret over the username of the call."""
    client = pool.clients[client_id]
    if not client.generate_secret:
        return
    digest = hmac.new(client.secret.encode(), f"{username}{client_id}".encode(), hashlib.sha256).digest()
    if not _same(base64.b64encode(digest).decode(), shown):
        raise _unproven(client_id)


def _unproven(client_id: str) -> Exception:
    fault: Exception = refusals.NotAuthorizedError(f"Unable to verify secret hash for client {client_id}")
    return fault


def _given(response: Any, *names: str) -> list[Any]:
    return [response._get_param(name) for name in names]  # noqa: SLF001


def _same(expected: str, shown: str | None) -> bool:
    return hmac.compare_digest(expected.encode(), (shown or "").encode())


def _named(pool: Any, parameters: dict[str, str]) -> str:
    """The username that the hash covers: the given one, or the one a refresh token was issued to."""
    if "REFRESH_TOKEN" not in parameters:
        return parameters.get("USERNAME", "")
    issued = pool.refresh_tokens.get(parameters["REFRESH_TOKEN"])
    return issued[1] if issued else ""


def _whom(response: Any) -> tuple[Any, Any, Any]:
    """Backend, pool and user (or None) of a request without credentials."""
    client = response._get_param("ClientId")  # noqa: SLF001
    agnostic = RegionAgnosticBackend(response.current_account, response.region)
    backend = agnostic._find_backend_for_clientid(client)  # noqa: SLF001
    pool = _pool_of(backend, client)
    return backend, pool, _user(pool, response._get_param("Username"))  # noqa: SLF001


def _pool_of(backend: Any, client: str) -> Any:
    for pool in backend.user_pools.values():
        if client in pool.clients:
            return pool
    raise refusals.ResourceNotFoundError(f"User pool client {client} does not exist.")


def _user(pool: Any, username: str) -> Any:
    return pool._get_user(username)  # noqa: SLF001


def _signed_in(backend: Any, access_token: str) -> tuple[Any, Any]:
    for pool in backend.user_pools.values():
        if access_token in pool.access_tokens:
            return pool, _user(pool, pool.access_tokens[access_token][1])
    raise refusals.NotAuthorizedError("Invalid Access Token")


def _session(access_token: str) -> str:
    """The `origin_jti` of a token that this pool issued."""
    payload = access_token.split(".")[1]
    session: str = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["origin_jti"]
    return session


def _mail_code(backend: Any, user: Any, purpose: Purpose, to: str) -> None:
    if not hasattr(user, "codes"):
        user.codes = Codes()
    backend.outbox.put(
        to, "Your verification code", f"Your verification code is {user.codes.issue(purpose)}."
    )


def _redeem(user: Any, purpose: Purpose, code: str) -> None:
    try:
        getattr(user, "codes", Codes()).redeem(purpose, code)
    except MismatchError:
        raise refusals.CodeMismatchException(
            "Invalid verification code provided, please try again."
        ) from None
    except ExpiredError:
        raise _no_code() from None


def _no_code() -> Exception:
    fault: Exception = refusals.ExpiredCodeException("Invalid code provided, please request a code again.")
    return fault


def _delivered() -> Any:
    details = {"Destination": "o***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    return ActionResult({"CodeDeliveryDetails": details})


def _id_of_the_name(_strategy: str | None, within: str, second: Any, config: dict[str, Any]) -> str:
    """moto calls it with (region, name, settings) for a pool, with (pool, secret?, settings) for a client."""
    if isinstance(second, bool):
        return client_id(config.get("ClientName", ""), within)
    return pool_id(second).removeprefix(f"{within}_")
