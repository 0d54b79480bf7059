"""Where a request comes from, as far as one sender can be told from another."""

import ipaddress

IPV6_NETWORK_BITS = 64
"""One subscriber has at least so many addresses: they count as one."""


def network(address: str) -> str:
    """What to count an address as: itself or its subscriber's network; what is no address, as it stands."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), IPV6_NETWORK_BITS), strict=False))
    return str(parsed)
