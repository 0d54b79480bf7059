"""urllib3 that opens its connections through a Guard: for ClickHouse, and under botocore for S3."""

import socket
from typing import Any, ClassVar

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Timeout
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import NewConnectionError

from functions.shared.guarded.guard import Guard, UnreachableError

DEFAULT_CONNECT_SECONDS = 5.0
DEFAULT_READ_SECONDS = 30.0

_NOT_THE_CALLERS = frozenset(
    {
        "assert_fingerprint",
        "assert_hostname",
        "cert_reqs",
        "proxy",
        "proxy_config",
        "retries",
        "server_hostname",
        "ssl_context",
    }
)
"""Settings of urllib3 by which a caller could verify less, or reach somebody else."""


def pool_manager(guard: Guard, **settings: Any) -> PoolManager:
    """A PoolManager for addresses that customers give; one serves any number of them.

    Each connection is judged and opened by `guard`. TLS is verified for the name that was asked for, with
    certifi's roots unless `settings` has `ca_certs`. It follows no redirect, repeats no request and knows no
    proxy, whatever `settings` or the caller of a request say.

    Raises, with each request
    -------------------------
    AddressRefusedError: unwrapped, and before anything is sent.
    """
    import certifi  # comes with clickhouse-connect; a function that only speaks to S3 lacks it

    kept = {name: value for name, value in settings.items() if name not in _NOT_THE_CALLERS}
    defaults = {
        "ca_certs": certifi.where(),
        "timeout": Timeout(connect=DEFAULT_CONNECT_SECONDS, read=DEFAULT_READ_SECONDS),
    }
    manager = _Manager(**{**defaults, **kept, "cert_reqs": "CERT_REQUIRED", "retries": False})
    manager.pool_classes_by_scheme = pool_classes(guard, HTTPConnectionPool, HTTPSConnectionPool)
    return manager


def pool_classes(guard: Guard, *kinds: type[HTTPConnectionPool]) -> dict[str, Any]:
    """Of each kind of pool one whose connections are opened by `guard`, by the scheme it is for."""
    return {kind.scheme or "": _guarded(kind, guard) for kind in kinds}


def _guarded(kind: type[HTTPConnectionPool], guard: Guard) -> type:
    connection = type(
        f"Guarded{kind.ConnectionCls.__name__}", (_Connection, kind.ConnectionCls), {"guard": guard}
    )
    return type(f"Guarded{kind.__name__}", (_Pool, kind), {"ConnectionCls": connection})


class _Connection:
    """Mixed into a connection: takes its socket from the guard."""

    guard: ClassVar[Guard]
    port: int
    timeout: float | None
    socket_options: list[tuple[int, int, int | bytes]] | None
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        # `_dns_host` is the name as it came; `host` is without the final dots the guard wants to see.
        seconds = self.timeout if self.timeout is not None else DEFAULT_CONNECT_SECONDS
        encrypted = isinstance(self, HTTPSConnection)
        try:
            opened = self.guard.connect(self._dns_host, self.port, seconds, encrypted=encrypted)
        except UnreachableError as fault:
            raise NewConnectionError(self, str(fault)) from None  # type: ignore[arg-type]  # it is mixed into one
        for option in self.socket_options or ():
            opened.setsockopt(*option)
        return opened


class _Pool:
    """Mixed into a pool: no redirect, no repetition."""

    def urlopen(self, *call: Any, **settings: Any) -> Any:
        return super().urlopen(*call, **{**settings, "redirect": False, "retries": False})  # type: ignore[misc]


class _Manager(PoolManager):
    def urlopen(  # type: ignore[override]  # as urllib3 itself has it
        self,
        method: str,
        url: str,
        redirect: bool = True,  # noqa: ARG002
        **settings: Any,
    ) -> Any:
        return super().urlopen(method, url, redirect=False, **{**settings, "retries": False})
