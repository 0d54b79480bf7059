"""The API key of a request: in a header, or for senders that know nothing but a URL, in its query.

The authorizer looks the key up, and ingest verifies the signatures of webhooks with it.
"""

import base64
from collections.abc import Mapping

PREFIX = "ast_sk_live_"

_SCHEMES = ("bearer", "splunk", "apikey", "basic")
_HEADERS = ("x-api-key", "dd-api-key", "x-amz-firehose-access-key")
_PARAMETERS = ("key", "api_key", "dd-api-key")


def find(headers: Mapping[str, str]) -> str | None:
    """The key in a request's headers (names in lower case), in any supported form; or None."""
    authorization = headers.get("authorization", "").strip()
    if authorization:
        return _from_authorization(authorization)
    return next((headers[name].strip() for name in _HEADERS if headers.get(name, "").strip()), None)


def find_in_query(query: Mapping[str, str]) -> str | None:
    """The key in a request's query; or None."""
    return next((query[name].strip() for name in _PARAMETERS if query.get(name, "").strip()), None)


def _from_authorization(value: str) -> str:
    scheme, _, rest = value.partition(" ")
    if scheme.lower() not in _SCHEMES or not rest:
        return value
    credentials = rest.strip()
    if scheme.lower() in ("bearer", "splunk"):
        return credentials
    return _from_pair(credentials)


def _from_pair(encoded: str) -> str:
    """The key in base64(user:password); a value of another form is returned as it is.

    The key is the password, unless only the user looks like a key: `curl -u KEY:`, as Stripe documents it.
    """
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # of binascii, of characters beyond ASCII, or of bytes that are no UTF-8
        return encoded
    return user if user.startswith(PREFIX) and not password.startswith(PREFIX) else password
