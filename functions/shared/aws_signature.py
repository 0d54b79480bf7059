"""Requests to AWS with the standard library alone: credentials and endpoint of the environment, Signature
Version 4, TLS.

botocore takes longer to sign a request than S3's answer takes to read (docs/performance.md).
tests/contract/test_signed_client.py and test_object_reader.py compare signatures with botocore's.
"""

import hashlib
import hmac
import os
import ssl
from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from urllib.parse import SplitResult, urlsplit

from functions.shared.errors import SettingsError
from functions.shared.trusted_certificates import hashed_directory

NO_BODY_HASH = hashlib.sha256(b"").hexdigest()

_ENDPOINT_NAMES = {"secretsmanager": "SECRETS_MANAGER"}
"""Services whose variable of the environment has another name than their host."""


class Signer:
    """Signs requests to one service at `now`, in UTC, that have the same headers (AWS4-HMAC-SHA256).

    Parameters
    ----------
    headers: in lower case, with the host.

    Attributes
    ----------
    headers: those to send, besides `authorization`.

    Raises
    ------
    SettingsError: the environment has no credentials or no region.
    """

    def __init__(
        self, service: str, headers: Mapping[str, str], environ: Mapping[str, str], now: datetime
    ) -> None:
        key_id, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
        region = _region(environ)
        if not (region and key_id and secret):
            raise SettingsError("the environment has no region or no credentials of AWS")
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        self.headers = {**headers, "x-amz-date": stamp}
        if token := environ.get("AWS_SESSION_TOKEN"):
            self.headers["x-amz-security-token"] = token
        names = sorted(self.headers)
        signed = ";".join(names)
        lines = "".join(f"{name}:{self.headers[name]}\n" for name in names)
        scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
        self._canonical_headers = f"{lines}\n{signed}"
        self._to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n"
        self._credential = f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={signed}, Signature="
        self._key = _signing_key(secret, stamp[:8], region, service)

    def authorization(self, method: str, path: str, body_hash: str = NO_BODY_HASH) -> str:
        """The header `authorization` of a request without a query.

        `path` is URI-encoded; `body_hash` is the body's SHA-256 in hexadecimal.
        """
        canonical = f"{method}\n{path}\n\n{self._canonical_headers}\n{body_hash}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        return self._credential + _hmac(self._key, self._to_sign + digest).hex()


def endpoint(service: str, environ: Mapping[str, str] = os.environ) -> SplitResult:
    """Where a service is: the endpoint in the environment, else the region's."""
    named = environ.get(f"AWS_ENDPOINT_URL_{_ENDPOINT_NAMES.get(service) or service.upper()}")
    given = named or environ.get("AWS_ENDPOINT_URL")
    region = _region(environ)
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return urlsplit(given or f"https://{service}.{region}.{suffix}")


@cache
def trusted_tls() -> ssl.SSLContext:
    """One for all connections: to read the trusted certificates may take 30 ms of CPU."""
    return ssl.create_default_context(capath=hashed_directory())


@lru_cache(maxsize=4)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _region(environ: Mapping[str, str]) -> str:
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION", "")
