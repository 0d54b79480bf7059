"""What a request through the proxy was: service, action, caller, and whether it was denied."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

API = "execute-api"
"""The service of requests to our own API."""

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/[^/]+/([^/]+)/aws4_request")
_PRESIGNED = re.compile(
    r"X-Amz-Credential=([^%/&]+)(?:%2F|/)\d{8}(?:%2F|/)[^%/&]+(?:%2F|/)([^%/&]+)", re.IGNORECASE
)
_DENIED = re.compile(rb"AccessDenied|NotAuthorized(?:Exception)?\b|AuthorizationError|UnauthorizedOperation")
_REASON = re.compile(rb"(?:[Mm]essage\"?\s*:\s*\"|<Message>)([^\"<]{1,600})")
_NOT_TRUSTED = re.compile(r"perform: sts:AssumeRole on resource: \S+$")
"""How the trust policy of a role denies a caller whose own policies allow the call."""

_API_HOST = re.compile(r"^[0-9a-f]{8}\.execute-api\.")
_FORM_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")


@dataclass(frozen=True, slots=True)
class Call:
    """`caller`: an access key id. `action` is the API's own name of it, or method and path shape.

    `denied`: the message of a response that denied access; empty for all others.
    """

    service: str
    action: str
    caller: str
    status: int
    denied: str = ""


def call_of(method: str, raw_path: str, headers: Mapping[str, str], status: int, content: bytes) -> Call:
    """Describe a request by its headers (names in lower case), path and response."""
    if _API_HOST.match(headers["host"]):
        return Call(API, f"{method} {raw_path.partition('?')[0]}", "", status)
    found = _SCOPE.search(headers.get("authorization", "")) or _PRESIGNED.search(raw_path)
    caller, service = (found[1], found[2]) if found else ("", "unsigned")
    target = headers.get("x-amz-target", "").rpartition(".")[2]
    action = target or f"{method} {_shape(raw_path)}"
    return Call(service, action, caller, status, _reason(status, content))


def _reason(status: int, content: bytes) -> str:
    """Why a response denied access; Cognito's rejection of a password is not one.

    A customer's role that does not trust us is none either: we have tried whether it trusts too many.
    """
    if status not in (400, 401, 403) or not _DENIED.search(content[:2000]):
        return ""
    found = _REASON.search(content)
    message = found[1].decode(errors="replace") if found else content[:300].decode(errors="replace")
    if _NOT_TRUSTED.search(message):
        return ""
    return message if "not authorized to perform" in message or status == 403 else ""


def _shape(raw_path: str) -> str:
    """The first segment of a path and the names of its parameters, without values."""
    path, _, query = raw_path.partition("?")
    segments = [segment for segment in path.split("/") if segment]
    names = sorted(name.partition("=")[0] for name in query.split("&") if name)
    shown = "/" + "/".join(["…"] * len(segments[:3]))
    return shown + (f"?{'&'.join(names)}" if names and len(names) <= 3 else "")
