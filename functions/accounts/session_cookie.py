"""A browser's session: the refresh token in a cookie that no script can read.

The cookie's name begins with `__Host-`, so no other host can set it. Only `POST /v1/login` and
`POST /v1/logout` read it, and only for requests of our own page: SameSite keeps other sites' requests without
it, and `require_same_origin` rejects those of a browser that ignores SameSite.
"""

from typing import Any
from urllib.parse import urlsplit

from functions.accounts.sessions import ImmediateRejectionError
from functions.shared.client_address import public_host
from functions.shared.secret_text import SecretText

NAME = "__Host-astralog_session"
MAX_AGE_SECONDS = 30 * 86_400
"""Lifetime of a refresh token at Cognito."""

_ATTRIBUTES = "Path=/; HttpOnly; Secure; SameSite=Strict"

EXPIRED_COOKIE = f"{NAME}=; Max-Age=0; {_ATTRIBUTES}"
"""Deletes the cookie."""


def session_cookie(token: SecretText) -> str:
    """The value of a `Set-Cookie` header that holds `token`."""
    return f"{NAME}={token.reveal()}; Max-Age={MAX_AGE_SECONDS}; {_ATTRIBUTES}"


def read_session_cookie(event: dict[str, Any]) -> SecretText | None:
    """The refresh token in a request's cookie; None without one."""
    for cookie in event.get("cookies") or []:
        name, _, value = cookie.partition("=")
        if name.strip() == NAME and value:
            return SecretText(value)
    return None


def require_same_origin(event: dict[str, Any]) -> None:
    """Reject a request that was not made by a page of the API's own origin.

    `Sec-Fetch-Site` and `Origin` are set by the browser; no page can change them.

    Raises
    ------
    ImmediateRejectionError: 403 `cross_site_request`.
    """
    headers = event.get("headers") or {}
    same_site = headers.get("sec-fetch-site", "") == "same-origin"
    same_host = urlsplit(headers.get("origin", "")).netloc.lower() == public_host(event).lower()
    if not (same_site and same_host):
        raise ImmediateRejectionError(
            403,
            "cross_site_request",
            "'cookie' is for our own page only: log in without 'cookie' and keep the refresh token yourself.",
        )
