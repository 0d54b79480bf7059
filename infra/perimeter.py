"""The operator's choices about what stands between the internet and the service. Plain data, without CDK."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.topology import AUTHORIZER, FUNCTIONS, Function

SHA256 = re.compile(r"[0-9a-f]{64}")

EDGE_HEADER, VIEWER_HEADER, HOST_HEADER = "x-astralog-edge", "x-astralog-viewer", "x-astralog-host"
"""Headers that CloudFront sends to the API: the secret, the viewer's address and the host it named
(functions.shared.client_address reads them)."""

EDGE_SETTING = "edge_secret_sha256"
"""The setting of every function that answers requests; functions.shared.client_address reads it."""


class PerimeterError(ValueError):
    """A choice contradicts another; the message names it."""


@dataclass(frozen=True, slots=True)
class EdgeChoice:
    """CloudFront in front of the API.

    `secret_sha256`: hex digests, separated by commas, of the values of the secret `edge`, by which functions
    recognise requests that came through CloudFront; two while it is rotated. `secret_name`: its name in
    Secrets Manager. `web_acl_arn`: a WAF web ACL for CloudFront.
    """

    secret_sha256: str
    secret_name: str
    web_acl_arn: str | None = None

    def __post_init__(self) -> None:
        if not all(SHA256.fullmatch(each) for each in self.secret_sha256.split(",")):
            raise PerimeterError(
                f"'-c {EDGE_SETTING}=…' must be SHA-256 digests in hex, 64 digits each, separated by commas."
            )
        if self.web_acl_arn is not None and ":us-east-1:" not in self.web_acl_arn:
            raise PerimeterError("'-c web_acl_arn=…' must name a web ACL for CloudFront, in us-east-1.")


@dataclass(frozen=True, slots=True)
class FirewallChoice:
    """The web ACL of the stack for WAF. `requests_per_address`: in five minutes, on all routes."""

    requests_per_address: int

    def __post_init__(self) -> None:
        if not 10 <= self.requests_per_address <= 2_000_000_000:
            raise PerimeterError(
                "'-c requests_per_address=…' must be from 10 to 2,000,000,000, as WAF requires."
            )


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """A VPC for functions that reach a ClickHouse or a customer's bucket.

    `cidr`: its addresses, for peering. `zones`: availability zones, each with a NAT gateway and an address.
    """

    cidr: str
    zones: int

    def __post_init__(self) -> None:
        try:
            network = ipaddress.IPv4Network(self.cidr)
        except ValueError:
            network = None
        if network is None or not 16 <= network.prefixlen <= 24 or not network.is_private:
            raise PerimeterError("'-c network_cidr=…' must be a private IPv4 network of /16 to /24.")
        if self.zones not in (1, 2):
            raise PerimeterError("'-c network_zones=…' must be 1 or 2.")


@dataclass(frozen=True, slots=True)
class Perimeter:
    """All choices of this module. None: without it.

    `dollars_a_day`: what requests, and what Lambda, may cost a day before an alarm.
    """

    edge: EdgeChoice | None = None
    firewall: FirewallChoice | None = None
    network: NetworkChoice | None = None
    dollars_a_day: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.dollars_a_day < float("inf"):
            raise PerimeterError("'-c cost_alarm_dollars=…' must be a number above 0.")

    def settings_of(self, function: Function) -> dict[str, str]:
        """Settings that `function` gets in this installation."""
        answers = bool(function.routes) or function.name == AUTHORIZER
        return {EDGE_SETTING: self.edge.secret_sha256} if self.edge and answers else {}


def in_network(function: Function) -> bool:
    """Whether the function reaches a ClickHouse, or a bucket of a customer."""
    return any(each.startswith(REACHING) for each in function.grants)


REACHING = ("read:secret:warehouse", "read:secret:search", "open:key:credentials")


def form_paths() -> list[str]:
    """Paths of open routes for people: small forms, never logs or searches, nor Stripe's signed events."""
    people = (spec for spec in FUNCTIONS if spec.name != "stripe-webhook")
    return sorted({each.path for spec in people for each in spec.routes if not each.auth})


def perimeter_from_context(look_up: Callable[[str], Any], edge_secret: str) -> Perimeter:
    """Read the choices; `look_up` returns a context value or None. `edge_secret`: the secret's default name.

    Keys: `edge_secret_sha256`, `edge_secret`, `web_acl_arn`, `firewall`, `requests_per_address`, `network`,
    `network_cidr`, `network_zones` and `cost_alarm_dollars`.

    Raises
    ------
    PerimeterError: a value is malformed, or needs another choice.
    """
    digest, acl = look_up(EDGE_SETTING), look_up("web_acl_arn")
    if acl is not None and digest is None:
        raise PerimeterError(f"'-c web_acl_arn=…' also needs '-c {EDGE_SETTING}=…': WAF protects CloudFront.")
    return Perimeter(
        edge=None
        if digest is None
        else EdgeChoice(str(digest), str(look_up("edge_secret") or edge_secret), acl),
        firewall=FirewallChoice(int(_number(look_up, "requests_per_address", 30_000)))
        if _is_on(look_up, "firewall")
        else None,
        network=NetworkChoice(
            str(look_up("network_cidr") or "10.64.0.0/20"), int(_number(look_up, "network_zones", 2))
        )
        if _is_on(look_up, "network")
        else None,
        dollars_a_day=_number(look_up, "cost_alarm_dollars", 10.0),
    )


def _is_on(look_up: Callable[[str], Any], name: str) -> bool:
    given = look_up(name)
    if given not in (None, "true", "false", True, False):
        raise PerimeterError(f"'-c {name}=…' must be true or false.")
    return given in ("true", True)


def _number(look_up: Callable[[str], Any], name: str, default: float) -> float:
    given = look_up(name)
    try:
        return default if given is None else float(given)
    except ValueError:
        raise PerimeterError(f"'-c {name}=…' must be a number.") from None
