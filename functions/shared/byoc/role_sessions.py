"""Sessions of customers' roles: temporary credentials from STS, in memory only (docs/adr/0036).

A session is narrowed to the tenant's prefixes of the bucket and lasts SESSION_SECONDS. It is replaced
RENEW_SECONDS before it ends, in the middle of a run too: RoleClient asks for the session at each call.

STS's quota is shared by all tenants. So a refusal is remembered for REFUSED_SECONDS, and a session that S3
rejects is replaced only once it is MIN_AGE_SECONDS old.

boto3 is imported when STS is first asked: ingest loads it for BYOC tenants only.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from functions.shared.aws_client import asked, client
from functions.shared.byoc.destination import AccessKey, CustomerRole, Destination
from functions.shared.byoc.role_policies import partition_of, session_policy
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

SESSION_SECONDS = 3600
"""Each role permits it, and a function, itself a role's session, gets no longer one."""

RENEW_SECONDS = 1200
"""Longer than a run of any function, and the time for which a URL to upload a file is valid."""

LEAST_SECONDS = 60
"""A session is used until then if STS does not answer."""

REFUSED_SECONDS = 15
MIN_AGE_SECONDS = 60
MAX_KEPT = 1000
MAX_NAME_CHARACTERS = 64

_THEIRS = frozenset({"AccessDenied", "ValidationError", "RegionDisabledException"})
"""STS's error codes for a role that does not exist or does not trust us."""

_OURS = "identity-based policy"
"""In STS's message if our own function lacks the permission."""


class RoleRefusedError(PermanentError):
    """STS does not give us a session of the role: its owner has to change something.

    `code`: STS's error code.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"STS: {code}")
        self.code = code


class RoleServiceUnavailableError(RetryableError):
    """STS did not answer, or denied the call to our own function: nothing that the customer can change."""


@dataclass(frozen=True, slots=True)
class RoleSession:
    """Temporary credentials; `began_at` and `ends_at` in Unix seconds."""

    access_key: AccessKey
    began_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class _Kept:
    """What STS answered for `request` at the time `at`: a session, or the code of its refusal."""

    request: tuple[tuple[str, Any], ...]
    at: float
    session: RoleSession | None = None
    refusal: str = ""


class RoleSessions:
    """The sessions of all tenants' roles in this process; threads may share it.

    Parameters
    ----------
    sts: a boto3 client; None for one that is made on first use.
    clock: Unix seconds; a session ends by the clock of AWS.
    """

    def __init__(self, sts: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._sts = sts
        self._clock = clock
        self._kept: dict[TenantId, _Kept] = {}
        self._lock = Lock()

    def current(self, destination: Destination, role: CustomerRole) -> RoleSession:
        """The session for the bucket of `destination`: the kept one, or a new one.

        Raises
        ------
        RoleRefusedError, RoleServiceUnavailableError
        """
        request, now = tuple(_request(destination, role).items()), self._clock()
        with self._lock:
            kept = self._kept.get(destination.tenant)
        if kept is None or kept.request != request:
            kept = _Kept(request, now)
        if kept.session and kept.session.ends_at - now > RENEW_SECONDS:
            return kept.session
        if kept.refusal and now - kept.at < REFUSED_SECONDS:
            raise RoleRefusedError(kept.refusal)
        return self._renewed(destination, role, kept, now)

    def assume(self, destination: Destination, role: CustomerRole) -> RoleSession:
        """A new session that is not kept; raises the errors of `current`."""
        began_at = self._clock()
        answer = self._answer("assume_role", **_request(destination, role))
        got = answer["Credentials"]
        key = AccessKey(
            *(SecretText(got[name]) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
        )
        return RoleSession(key, began_at, got["Expiration"].timestamp())

    def own_account(self) -> tuple[str, str]:
        """Our partition and account id: what a role's trust policy has to name.

        Raises
        ------
        RoleServiceUnavailableError
        """
        arn = self._answer("get_caller_identity")["Arn"].split(":")
        return arn[1], arn[4]

    def evict(self, tenant: TenantId) -> None:
        """Replace the tenant's session at its next use, because S3 rejected it, unless it is new."""
        with self._lock:
            kept = self._kept.get(tenant)
            if kept and kept.session and self._clock() - kept.session.began_at >= MIN_AGE_SECONDS:
                del self._kept[tenant]

    def forget(self, tenant: TenantId) -> None:
        """Drop what is kept of `tenant`, which has no destination any more."""
        with self._lock:
            self._kept.pop(tenant, None)

    def _renewed(self, destination: Destination, role: CustomerRole, kept: _Kept, now: float) -> RoleSession:
        try:
            session = self.assume(destination, role)
        except RoleRefusedError as refusal:
            self._keep(destination.tenant, _Kept(kept.request, now, refusal=refusal.code))
            raise
        except RoleServiceUnavailableError:
            if kept.session and kept.session.ends_at - now > LEAST_SECONDS:
                return kept.session
            raise
        self._keep(destination.tenant, _Kept(kept.request, now, session))
        return session

    def _keep(self, tenant: TenantId, kept: _Kept) -> None:
        with self._lock:
            self._kept.pop(tenant, None)
            while len(self._kept) >= MAX_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[tenant] = kept

    def _answer(self, operation: str, **parameters: Any) -> dict[str, Any]:
        self._sts = self._sts or client("sts")
        answer: dict[str, Any] = asked(lambda: getattr(self._sts, operation)(**parameters), _error, _code_of)
        return answer


class RoleClient:
    """Stands for a boto3 client: each call is made by a client with the current session.

    Parameters
    ----------
    session: the current session; what it raises, each call raises.
    make: a client with that access key.
    """

    def __init__(self, session: Callable[[], RoleSession], make: Callable[[AccessKey], Any]) -> None:
        self._session = session
        self._make = make
        self._made: tuple[RoleSession, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        session, made = self._session(), self._made
        if made is None or made[0] is not session:
            made = self._made = session, self._make(session.access_key)
        return getattr(made[1], name)


def _request(destination: Destination, role: CustomerRole) -> dict[str, Any]:
    """The parameters of AssumeRole; CloudTrail of both accounts shows the session's name."""
    policy = session_policy(
        partition_of(role.arn), destination.bucket, destination.region, destination.tenant
    )
    return {
        "RoleArn": role.arn,
        "ExternalId": role.external_id,
        "RoleSessionName": f"astralog-{destination.tenant}"[:MAX_NAME_CHARACTERS],
        "DurationSeconds": SESSION_SECONDS,
        "Policy": policy,
    }


def _code_of(error: Mapping[str, Any]) -> str:
    """STS's error code; `MissingPermission` if our function's own policy does not allow the call."""
    is_ours = _OURS in str(error.get("Message"))
    return "MissingPermission" if is_ours else str(error.get("Code"))


def _error(code: str) -> PermanentError | RetryableError:
    return RoleRefusedError(code) if code in _THEIRS else RoleServiceUnavailableError(f"STS: {code}")
