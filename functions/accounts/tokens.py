"""Verifies access tokens of our user pool: signed by the pool, for our client, not expired.

Only RS256 is accepted, with the keys that the pool publishes. They are cached for KEYS_SECONDS; a token with
an unknown key id fetches them again, at most once every LOOK_AGAIN_SECONDS, so made-up key ids cost nothing.
joserfc and urllib3 are imported with the first token: requests with an API key do not pay for them.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from functions.shared.errors import PermanentError, RetryableError

LEEWAY_SECONDS = 60
KEYS_SECONDS = 3600
LOOK_AGAIN_SECONDS = 60
FETCH_TIMEOUT_SECONDS = 2.0
MAX_TOKEN_CHARACTERS = 8192
MAX_KEYS_BYTES = 64 * 1024
ALGORITHM = "RS256"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Fetch = Callable[[str], bytes]


class BadTokenError(PermanentError):
    """The token is not accepted; the reason is never given or shown."""


class KeysUnavailableError(RetryableError):
    """The pool's keys could not be fetched, so the token cannot be verified."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The token's claims: `subject` is the key in `people`. Times in Unix seconds.

    `session` and `signed_in_at` are those of the sign-in, also in a refreshed token.
    """

    subject: str
    session: str
    signed_in_at: int
    expires_at: int


class AccessTokenVerifier:
    """Verifies tokens of one pool and one client."""

    def __init__(
        self,
        issuer: str,
        client: str,
        keys_url: str,
        *,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._keys = _JsonWebKeySet(keys_url, fetch or _fetch, clock)

    def verify(self, token: str) -> Claims:
        """The claims of a token, after every relevant claim was checked.

        Raises
        ------
        BadTokenError: the token is not issued for us, or has expired.
        KeysUnavailableError: the token cannot be verified now.
        """
        from joserfc import jwt
        from joserfc.errors import JoseError

        if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
            raise BadTokenError("not one of our access tokens")
        try:
            decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
            return self._checked(decoded.claims)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise BadTokenError("not one of our access tokens") from None

    def _key(self, signed: Any) -> Any:
        """The key that `signed` names, for joserfc, before any other part of the token is trusted."""
        from joserfc.jwk import RSAKey

        name = signed.headers().get("kid")
        published = self._keys.get(name) if isinstance(name, str) else None
        if published is None or published.get("kty") != "RSA" or published.get("use", "sig") != "sig":
            raise BadTokenError("not one of our access tokens")
        return RSAKey.import_key({each: published[each] for each in ("kty", "n", "e")})

    def _checked(self, claims: Mapping[str, Any]) -> Claims:
        from joserfc.jwt import JWTClaimsRegistry

        registry = JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True},
            sub={"essential": True},
            exp={"essential": True},
            origin_jti={"essential": True},
        )
        registry.validate(dict(claims))
        ours = {"iss": self._issuer, "client_id": self._client, "token_use": "access"}
        if any(claims.get(name) != value for name, value in ours.items()):
            raise BadTokenError("not one of our access tokens")
        signed_in_at = claims["auth_time"]
        if type(signed_in_at) is not int or not isinstance(claims["origin_jti"], str):
            raise BadTokenError("not one of our access tokens")
        return Claims(claims["sub"], claims["origin_jti"], signed_in_at, int(claims["exp"]))


class _JsonWebKeySet:
    """The published keys by their ids."""

    def __init__(self, url: str, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._known: dict[str, dict[str, Any]] = {}
        self._fetched_at = float("-inf")

    def get(self, name: str) -> dict[str, Any] | None:
        age = self._clock() - self._fetched_at
        if age >= KEYS_SECONDS or (name not in self._known and age >= LOOK_AGAIN_SECONDS):
            self._renew()
        return self._known.get(name)

    def _renew(self) -> None:
        content = self._fetch(self._url)
        try:
            self._known = {key["kid"]: key for key in json.loads(content)["keys"]}
        except (ValueError, TypeError, KeyError):
            raise KeysUnavailableError("what was fetched is no set of keys") from None
        self._fetched_at = self._clock()


def _fetch(url: str) -> bytes:
    """The set of keys, over HTTPS (the local stack's loopback address excepted), never redirected."""
    import urllib3

    where = urlsplit(url)
    if where.scheme != "https" and where.hostname not in LOOPBACK:
        raise PermanentError("keys are fetched over HTTPS only")
    try:
        answer = urllib3.request(
            "GET",
            url,
            redirect=False,
            retries=False,
            timeout=FETCH_TIMEOUT_SECONDS,
            preload_content=False,
        )
        content: bytes = answer.read(MAX_KEYS_BYTES)
        answer.close()
    except urllib3.exceptions.HTTPError as fault:
        raise KeysUnavailableError(f"the keys could not be fetched: {type(fault).__name__}") from None
    if answer.status != 200:
        raise KeysUnavailableError(f"the keys could not be fetched: status {answer.status}")
    return content
