"""Where to send, and the key: checked when the handler is created, so that a mistake shows at once."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

ROUTE = "/v1/drain"
_LOOPBACK = ("localhost", "::1")


class ApiKey:
    """The key, which no representation and no copy shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("The API key has characters that no key has: check for blanks and line breaks.")
        self._value = value

    def authorization(self) -> str:
        """The value of the header."""
        return f"Bearer {self._value}"

    def __repr__(self) -> str:
        return "ApiKey(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("An API key cannot be pickled or copied.")


@dataclass(frozen=True)
class Endpoint:
    """The address of the service. `str()` is what errors show."""

    secure: bool
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        scheme, usual = ("https", 443) if self.secure else ("http", 80)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}{'' if self.port == usual else f':{self.port}'}"


def endpoint_of(url: str | None) -> Endpoint:
    """The endpoint of `url`, or of ASTRALOG_URL.

    Raises
    ------
    ValueError: no URL, or one that cannot be used; without its text, which may have a password.
    """
    text = (url or os.environ.get("ASTRALOG_URL", "")).strip()
    if not text:
        raise ValueError("No URL: pass `url`, or set ASTRALOG_URL.")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("The URL cannot be read: it must be like https://YOUR-ENDPOINT.") from None
    if parts.scheme not in ("http", "https") or not host or not _is_plain(text):
        raise ValueError("The URL must be like https://YOUR-ENDPOINT.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("The URL must have no user, password, query and fragment: pass the key as `key`.")
    secure = parts.scheme == "https"
    if not secure and host not in _LOOPBACK and not host.startswith("127."):
        raise ValueError("The URL must begin with https:// (http:// only for this machine).")
    path = parts.path.rstrip("/")
    return Endpoint(
        secure, host, port or (443 if secure else 80), path if path.endswith(ROUTE) else path + ROUTE
    )


def key_of(key: str | None) -> ApiKey:
    """The key, or that of ASTRALOG_KEY.

    Raises
    ------
    ValueError: no key, or one that cannot be sent.
    """
    text = (key or os.environ.get("ASTRALOG_KEY", "")).strip()
    if not text:
        raise ValueError("No API key: pass `key`, or set ASTRALOG_KEY.")
    return ApiKey(text)


def require_positive(most: float = math.inf, /, **values: Any) -> None:
    """Raise ValueError for the first value that is not a number above 0, or is above `most`."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= most:
            bound = "" if most == math.inf else f", and at most {most}"
            raise ValueError(f"`{name}` must be a number above 0{bound}.")


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text
