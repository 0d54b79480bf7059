"""The egress filter: check every address of a customer's host, then connect to a checked address.

A name is resolved once per connection, and the connection goes to an address of that result: changing the DNS
answer afterwards (DNS rebinding) has no effect. docs/adr/0009 lists what is rejected and why.
"""

import re
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address
from threading import Thread
from typing import Any

from functions.shared.egress.addresses import IPAddress, host_problem, is_loopback, literal, refusal_reason
from functions.shared.errors import PermanentError, RetryableError

TLS_PORTS = frozenset({443, 8443, 9000})
"""443 for HTTPS; 8443 for ClickHouse and ClickHouse Cloud; 9000 for MinIO's S3."""

MAX_PORT = 65_535
LEAST_SECONDS_AN_ADDRESS = 0.05

_URL = re.compile(r"(?P<scheme>https?)://(?P<host>\[[^\[\]]*\]|[^:\[\]/]*)(:(?P<port>[0-9]{1,5}))?/?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class AddressRefusedError(PermanentError):
    """The address is rejected. The message is for the customer and reveals nothing of our network."""


class UnreachableError(RetryableError):
    """The host is unknown, or nothing answers at that port."""


@dataclass(frozen=True)
class EgressFilter:
    """Checks hosts given by customers and opens the connections to them.

    Parameters
    ----------
    allow_loopback: for the local stack and tests: also allow 127.0.0.0/8, ::1 and `localhost`, on any port
        and unencrypted, and nothing else in addition.
    ports: the ports allowed on public addresses.
    resolve: same signature and errors as `socket.getaddrinfo`.
    """

    allow_loopback: bool = False
    ports: frozenset[int] = TLS_PORTS
    resolve: Callable[..., Iterable[tuple[Any, ...]]] = socket.getaddrinfo

    def check_url(self, url: str) -> None:
        """Reject a URL that is not `https://host[:port]`, for early validation of input; nothing is resolved.

        Raises
        ------
        AddressRefusedError: says what is wrong. An accepted name may still resolve to a rejected address.
        """
        parts = _URL.fullmatch(url) if url.isascii() and url.isprintable() else None
        if parts is None or "@" in url:
            raise AddressRefusedError("The address must have the form https://host or https://host:port.")
        scheme, host = parts["scheme"], parts["host"]
        bare = host[1:-1] if host.startswith("[") and ":" in host else host
        if (":" in bare) != host.startswith("["):
            raise AddressRefusedError("The host is neither an IPv6 address nor a host name.")
        self.check(bare, int(parts["port"] or _DEFAULT_PORTS[scheme]), encrypted=scheme == "https")

    def check(self, host: str, port: int, *, encrypted: bool = True) -> None:
        """Reject a host and port by their spelling alone; nothing is resolved.

        Raises
        ------
        AddressRefusedError: says what is wrong with them.
        """
        if self.allow_loopback and host == "localhost":
            return
        if problem := host_problem(host):
            raise AddressRefusedError(f"The host {problem}.")
        if address := literal(host):
            self._judge(address, port, encrypted)
        elif not self.allow_loopback:
            self._judge_port(port, encrypted)

    def connect(
        self, host: str, port: int, timeout_seconds: float, *, encrypted: bool = True
    ) -> socket.socket:
        """A connected TCP socket with that timeout, to an address of `host` that was checked by this call.

        One look-up, none for a literal address. One address that may not be refuses them all; those that
        may are tried in order. The look-up and all of them share `timeout_seconds`. `encrypted` is what the
        caller is going to do.

        Raises
        ------
        AddressRefusedError: nothing was sent.
        UnreachableError: unknown host, or no connection in time.
        """
        self.check(host, port, encrypted=encrypted)
        deadline = time.monotonic() + timeout_seconds
        addresses = self._addresses(host, port, timeout_seconds)
        for address in addresses:
            self._judge(address, port, encrypted, named=True)
        connected = _open(addresses, port, deadline)
        connected.settimeout(timeout_seconds)
        return connected

    def _addresses(self, host: str, port: int, timeout_seconds: float) -> list[IPAddress]:
        if address := literal(host):
            return [address]
        look_up = _LookUp(lambda: list(self.resolve(host, port, type=socket.SOCK_STREAM)))
        try:
            found = look_up.result(timeout_seconds)
        except (OSError, UnicodeError):
            raise UnreachableError("The host is not known.") from None
        if not found:
            raise UnreachableError("The host is not known.")
        return list(dict.fromkeys(_address(family, place) for family, _, _, _, place in found))

    def _judge(self, address: IPAddress, port: int, encrypted: bool, named: bool = False) -> None:
        if self.allow_loopback and is_loopback(address) and 0 < port <= MAX_PORT:
            return
        if reason := refusal_reason(address):
            # The message must not reveal where a name resolves to: it could map our internal network.
            raise AddressRefusedError(
                "The host does not lead to the public internet." if named else f"The host is {reason}."
            )
        self._judge_port(port, encrypted)

    def _judge_port(self, port: int, encrypted: bool) -> None:
        if not encrypted:
            raise AddressRefusedError("The connection has to be encrypted: use https.")
        if port not in self.ports:
            taken = ", ".join(map(str, sorted(self.ports)))
            raise AddressRefusedError(f"The port is not allowed. Allowed ports: {taken}.")


class _LookUp:
    """A look-up that its caller can stop waiting for: `getaddrinfo` itself takes no timeout.

    The customer's own name server may never answer. An abandoned thread ends with the system's resolver,
    whose patience is some ten seconds.
    """

    def __init__(self, resolve: Callable[[], list[tuple[Any, ...]]]) -> None:
        self._resolve = resolve
        self._found: list[tuple[Any, ...]] = []
        self._fault: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)

    def result(self, timeout_seconds: float) -> list[tuple[Any, ...]]:
        """What was found; raises as `resolve` does, or TimeoutError."""
        self._thread.start()
        self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            raise TimeoutError("the look-up takes too long")
        if self._fault:
            raise self._fault
        return self._found

    def _run(self) -> None:
        try:
            self._found = self._resolve()
        except BaseException as fault:  # noqa: BLE001 - raised again in the thread that waits
            self._fault = fault


def _address(family: int, place: tuple[Any, ...]) -> IPAddress:
    """The address in a sockaddr; rejected when it is of another kind, or scoped to a zone of this machine."""
    address = literal(str(place[0])) if family in (socket.AF_INET, socket.AF_INET6) else None
    if address is None or any(place[3:]):
        raise AddressRefusedError("The host does not lead to the public internet.")
    return address


def _open(addresses: list[IPAddress], port: int, deadline: float) -> socket.socket:
    for position, address in enumerate(addresses):
        share = (deadline - time.monotonic()) / (len(addresses) - position)
        try:
            return _dial(address, port, max(share, LEAST_SECONDS_AN_ADDRESS))
        except OSError:
            continue
    raise UnreachableError("Nothing answers at that host and port.")


def _dial(address: IPAddress, port: int, timeout_seconds: float) -> socket.socket:
    """Connect to the address itself: the text of an ipaddress is never resolved."""
    v4 = isinstance(address, IPv4Address)
    dialled = socket.socket(socket.AF_INET if v4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        dialled.settimeout(timeout_seconds)
        dialled.connect((str(address), port) if v4 else (str(address), port, 0, 0))
    except BaseException:
        dialled.close()
        raise
    return dialled
