"""The network that a request comes from, used to distinguish senders."""

import ipaddress

IPV6_NETWORK_BITS = 64
"""One subscriber has at least a /64 network, so its addresses count as one."""


def network(address: str) -> str:
    """The key to count an address by: itself or its IPv6 network; text that is no address is unchanged."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), IPV6_NETWORK_BITS), strict=False))
    return str(parsed)
