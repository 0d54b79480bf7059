"""urllib3 connection pools behind the egress filter: for ClickHouse, and under botocore for S3.

Answers are read up to their limits (functions.shared.egress.response_limits).
"""

import socket
from typing import Any, ClassVar

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Timeout
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import NewConnectionError

from functions.shared.egress.egress_filter import LEAST_SECONDS_AN_ADDRESS, EgressFilter, UnreachableError
from functions.shared.egress.response_limits import (
    MAX_ANSWER_BYTES,
    MeteredResponse,
    MeteredSocket,
    ResponseMeter,
)

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
"""Settings of urllib3 with which a caller could weaken verification, or reach another server."""


def pool_manager(
    guard: EgressFilter, *, max_answer_bytes: int = MAX_ANSWER_BYTES, **settings: Any
) -> PoolManager:
    """A PoolManager for addresses that customers give; one serves any number of them.

    `guard` checks and opens each connection. TLS is verified for the requested name, with certifi's roots
    unless `settings` has `ca_certs`. Redirects, retries and proxies are off, whatever `settings` or a request
    say. At most `max_answer_bytes` of an answer are read, and nothing of a compressed one: that was not
    requested, and would be decompressed in memory.

    Raises, with each request
    -------------------------
    AddressRefusedError: unwrapped, and before anything is sent.
    AnswerRefusedError: unwrapped; the request was sent, and may have taken effect.
    """
    import certifi  # comes with clickhouse-connect; a function that only uses S3 lacks it

    kept = {name: value for name, value in settings.items() if name not in _NOT_THE_CALLERS}
    defaults = {
        "ca_certs": certifi.where(),
        "timeout": Timeout(connect=DEFAULT_CONNECT_SECONDS, read=DEFAULT_READ_SECONDS),
    }
    manager = _Manager(**{**defaults, **kept, "cert_reqs": "CERT_REQUIRED", "retries": False})
    manager.pool_classes_by_scheme = pool_classes(
        guard, HTTPConnectionPool, HTTPSConnectionPool, max_answer_bytes=max_answer_bytes, plain=True
    )
    return manager


def pool_classes(
    guard: EgressFilter, *kinds: type[HTTPConnectionPool], max_answer_bytes: int, plain: bool
) -> dict[str, Any]:
    """For each kind of pool a class whose connections `guard` opens, by URL scheme.

    `plain`: whether answers with a Content-Encoding are rejected.
    """
    attributes = {"guard": guard, "max_answer_bytes": max_answer_bytes, "plain": plain}
    return {kind.scheme or "": _filtered(kind, attributes) for kind in kinds}


def _filtered(kind: type[HTTPConnectionPool], attributes: dict[str, Any]) -> type:
    connection = type(f"Guarded{kind.ConnectionCls.__name__}", (_Connection, kind.ConnectionCls), attributes)
    return type(f"Guarded{kind.__name__}", (_Pool, kind), {"ConnectionCls": connection})


class _Connection:
    """Mixin for a connection: gets its socket from the guard, and counts the bytes it reads."""

    guard: ClassVar[EgressFilter]
    max_answer_bytes: ClassVar[int]
    plain: ClassVar[bool]
    response_class = MeteredResponse
    sock: Any
    port: int
    timeout: float | None
    socket_options: list[tuple[int, int, int | bytes]] | None
    _dns_host: str

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self.sock = MeteredSocket(self.sock, self._meter())

    def request(self, *call: Any, **settings: Any) -> Any:
        if self.sock:
            self.sock.meter = self._meter()
        return super().request(*call, **settings)  # type: ignore[misc]

    def _meter(self) -> ResponseMeter:
        """The meter of the request that starts now."""
        return ResponseMeter(self.max_answer_bytes, plain=self.plain)

    def _new_conn(self) -> socket.socket:
        # `_dns_host` is the name as given; `host` lacks the final dots, which the guard has to see.
        patience = self.timeout if self.timeout is not None else DEFAULT_CONNECT_SECONDS
        seconds = max(LEAST_SECONDS_AN_ADDRESS, min(patience, self._meter().seconds_left()))
        encrypted = isinstance(self, HTTPSConnection)
        try:
            opened = self.guard.connect(self._dns_host, self.port, seconds, encrypted=encrypted)
        except UnreachableError as fault:
            raise NewConnectionError(self, str(fault)) from None  # type: ignore[arg-type]  # it is mixed into one
        for option in self.socket_options or ():
            opened.setsockopt(*option)
        # The TLS handshake follows: it has what the connection has left of the time, not as much again.
        left = self._meter().seconds_left()
        if left < seconds:
            opened.settimeout(left)
        return opened


class _Pool:
    """Mixin for a pool: no redirects, no retries."""

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
