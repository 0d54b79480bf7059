"""Which addresses and host spellings the egress filter accepts. Pure: no look-up, no network.

An address is accepted only when it is globally routable unicast. `ipaddress.is_global` alone does not say so,
and depends on the version: Python 3.11.7 and 3.13.0 both call 224.0.0.1, ff02::1, fec0::1, 192.88.99.1,
64:ff9b::7f00:1 (NAT64 of 127.0.0.1), ::7f00:1, 3fff::1 and 168.63.129.16 global; 3.11 calls 2002:7f00:1::
(6to4 of 127.0.0.1), 64:ff9b:1::1 and 192.0.0.192 global and 3.13 does not; 3.13 calls 2001:20::1 (ORCHID)
global and 3.11 does not. So the tables below, from IANA's special-purpose registries, decide first, and
`is_global` is checked after them.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from unicodedata import normalize

IPAddress = IPv4Address | IPv6Address

MAX_HOST_CHARACTERS = 253

LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

_REFUSED_V4 = {
    IPv4Network("0.0.0.0/8"): "no address of a host",
    IPv4Network("10.0.0.0/8"): "in a private network",
    IPv4Network("100.64.0.0/10"): "in a provider's inner network",
    IPv4Network("127.0.0.0/8"): "a loopback address",
    IPv4Network("168.63.129.16/32"): "a cloud's own service",
    IPv4Network("169.254.0.0/16"): "a link-local address",
    IPv4Network("172.16.0.0/12"): "in a private network",
    IPv4Network("192.0.0.0/24"): "reserved for protocols",
    IPv4Network("192.0.2.0/24"): "reserved for documentation",
    IPv4Network("192.31.196.0/24"): "reserved for protocols",
    IPv4Network("192.52.193.0/24"): "a relay's address",
    IPv4Network("192.88.99.0/24"): "a relay's address",
    IPv4Network("192.168.0.0/16"): "in a private network",
    IPv4Network("192.175.48.0/24"): "reserved for protocols",
    IPv4Network("198.18.0.0/15"): "reserved for benchmarks",
    IPv4Network("198.51.100.0/24"): "reserved for documentation",
    IPv4Network("203.0.113.0/24"): "reserved for documentation",
    IPv4Network("224.0.0.0/4"): "a multicast address",
    IPv4Network("240.0.0.0/4"): "a reserved address",
}

_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = {
    # Inside 2000::/3: addresses that carry, relay or imitate another address. 2001::/23 holds Teredo,
    # benchmarks, ORCHID and anycast of protocols.
    IPv6Network("2001::/23"): "reserved for protocols",
    IPv6Network("2001:db8::/32"): "reserved for documentation",
    IPv6Network("2002::/16"): "an IPv4 address inside an IPv6 one",
    IPv6Network("2620:4f:8000::/48"): "reserved for protocols",
    IPv6Network("3ffe::/16"): "a reserved address",
    IPv6Network("3fff::/20"): "reserved for documentation",
    # Outside of 2000::/3 every address is rejected; these entries only provide the reason.
    IPv6Network("::/128"): "no address of a host",
    IPv6Network("::1/128"): "a loopback address",
    IPv6Network("::/96"): "an IPv4 address inside an IPv6 one",
    IPv6Network("::ffff:0:0/96"): "an IPv4 address inside an IPv6 one",
    IPv6Network("64:ff9b::/96"): "an IPv4 address inside an IPv6 one",
    IPv6Network("64:ff9b:1::/48"): "an IPv4 address inside an IPv6 one",
    IPv6Network("fc00::/7"): "in a private network",
    IPv6Network("fe80::/10"): "a link-local address",
    IPv6Network("fec0::/10"): "in a private network",
    IPv6Network("ff00::/8"): "a multicast address",
}

_INNER_SUFFIXES = frozenset(
    {
        "alt",
        "arpa",
        "corp",
        "home",
        "internal",
        "intranet",
        "lan",
        "local",
        "localdomain",
        "localhost",
        "onion",
        "private",
    }
)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_UNUSUAL = "is a number in an unsupported spelling: write an IPv4 address as four decimal numbers"


def refusal_reason(address: IPAddress) -> str | None:
    """Why `address` is rejected, in words that follow "it is"; None when it is public unicast."""
    refused = _REFUSED_V4 if isinstance(address, IPv4Address) else _REFUSED_V6
    for network, reason in refused.items():
        if address in network:
            return reason
    if isinstance(address, IPv6Address) and (
        address.scope_id is not None or address not in _GLOBAL_UNICAST_V6
    ):
        return "not a public internet address"
    return None if address.is_global else "not a public internet address"


def is_loopback(address: IPAddress) -> bool:
    """127.0.0.0/8 or ::1 itself. Python's own check includes ::ffff:127.0.0.1 since 3.13."""
    scoped = isinstance(address, IPv6Address) and address.scope_id is not None
    return not scoped and any(address in network for network in LOOPBACK)


def literal(host: str) -> IPAddress | None:
    """The address that `host` spells, parsed strictly; None for a name."""
    try:
        return IPv6Address(host) if ":" in host else IPv4Address(host)
    except AddressValueError:
        return None


def host_problem(host: str) -> str | None:
    """What is wrong with the spelling of `host`, in words that follow "the host"; None when it is accepted.

    Accepted: DNS names with a dot, in ASCII and without a final dot; IPv4 addresses of four decimal numbers;
    IPv6 addresses without brackets. Any other spelling that some parser reads as an address is rejected, so
    that every parser sees the address that was checked.
    """
    if problem := _character_problem(host):
        return problem
    if literal(host):
        return None
    if ":" in host:
        return "is neither an IPv6 address nor a host name"
    return _name_problem(host.lower().split("."))


def _character_problem(host: str) -> str | None:
    if not host:
        return "is empty"
    if len(host) > MAX_HOST_CHARACTERS:
        return f"is longer than {MAX_HOST_CHARACTERS} characters"
    if not host.isascii():
        return "has characters outside ASCII: write an international name in its xn-- form"
    if not host.isprintable() or " " in host:
        return "has a space or a control character in it"
    if found := next((each for each in "@/\\?#%[]" if each in host), None):
        return f"has {found!r} in it: give the host alone"
    return None


def _name_problem(labels: list[str]) -> str | None:
    if not all(labels):
        return "begins or ends with a dot, or has two in a row"
    if not labels[-1][0].isalpha():
        # No top-level domain begins with a digit; inet_aton reads 0x7f.1, 0177.0.0.1 and 127.1 as addresses.
        return _UNUSUAL if labels[-1][0].isdigit() else "is no host name"
    if len(labels) == 1:
        return "has no dot in it: give its full name"
    if not all(_LABEL.fullmatch(label) for label in labels):
        return "is no host name"
    if labels[-1] in _INNER_SUFFIXES:
        return f"ends in .{labels[-1]}, which is not a public domain"
    return None if all(map(_is_sound, labels)) else "has an xn-- part that is not a valid international name"


def _is_sound(label: str) -> bool:
    """False when `label` claims to be punycode and is not, or decodes to text that reads as another name."""
    if not label.startswith("xn--"):
        return True
    try:
        text = label[4:].encode().decode("punycode")
        again = text.encode("punycode").decode().lower()
    except UnicodeError:
        return False
    reads_as_itself = not text.isascii() and normalize("NFKC", text).casefold() == text.casefold()
    return reads_as_itself and again == label[4:]
