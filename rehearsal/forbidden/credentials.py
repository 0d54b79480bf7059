"""Clients with the credentials that the emulator gives to a function."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, Credentials, ReadOnlyCredentials

from rehearsal.site import REGION, Site

_current: ContextVar[ReadOnlyCredentials] = ContextVar("credentials")


def credentials_of(function: Mapping[str, Any]) -> ReadOnlyCredentials:
    """The credentials in the environment of a function or of one of its versions, once that has started.

    The emulator derives them from the function's and the role's ARN (ministack.core.lambda_runtime).
    """
    digest = _sha256(f"{function['FunctionArn']}:{function['Role']}")
    return ReadOnlyCredentials(
        f"ASIA{digest[:16].upper()}", _sha256(f"secret:{digest}"), _sha256(f"token:{digest}")
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def acting_as(credentials: ReadOnlyCredentials) -> Iterator[None]:
    """Sign all calls of `RoleClients` in this thread with the credentials."""
    token = _current.set(credentials)
    try:
        yield
    finally:
        _current.reset(token)


class _Current(Credentials):  # type: ignore[misc]  # botocore has no types
    """The credentials of `acting_as`, asked for at each call."""

    def __init__(self) -> None:
        super().__init__("unused", "unused", method="rehearsal")

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return _current.get()


class _Provider(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    METHOD = "rehearsal"

    def load(self) -> Credentials:
        return _Current()


class RoleClients:
    """boto3 clients, one a service for all roles: making a client costs more than a call.

    They call the emulator itself, so that the proxy does not count their refusals as denied calls.
    """

    def __init__(self, site: Site, *, threads: int) -> None:
        session = botocore.session.Session()
        session.register_component("credential_provider", CredentialResolver([_Provider()]))
        self._session = boto3.Session(botocore_session=session, region_name=REGION)
        self._endpoint = site.emulator
        self._config = Config(
            retries={"total_max_attempts": 1},
            read_timeout=60,
            max_pool_connections=threads,
            parameter_validation=False,
            s3={"addressing_style": "path"},
        )
        self._made: dict[tuple[str, bool], Any] = {}

    def make(self, service: str, *, over_tls: bool = True) -> Any:
        """The client of a service; not for several threads at once. `over_tls`: what the request claims."""
        if (service, over_tls) not in self._made:
            client = self._session.client(service, endpoint_url=self._endpoint, config=self._config)
            scheme = "https" if over_tls else "http"

            def claim(request: Any, **_more: Any) -> None:
                request.headers["X-Forwarded-Proto"] = scheme

            client.meta.events.register("before-send", claim)
            self._made[service, over_tls] = client
        return self._made[service, over_tls]
