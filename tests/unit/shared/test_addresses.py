"""Only public unicast is taken, and only in the spelling that every parser reads alike."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.shared.egress.addresses import IPAddress, host_problem, is_loopback, literal, refusal_reason
from tests.unit.shared.hostile_hosts import ADDRESSES, PUBLIC_V4, PUBLIC_V6, SPELLINGS

any_address = st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address)
near_2000 = st.integers(0x2000 << 112, (0x4000 << 112) - 1).map(IPv6Address)
number = st.one_of(
    st.integers(0, 2**33).map(str), st.integers(0, 2**33).map(hex), st.integers(0, 2**33).map("0{:o}".format)
)
numbers = st.lists(number | st.sampled_from(["", "a", "127", "0"]), min_size=1, max_size=6).map(".".join)
text = st.text(st.sampled_from("0123456789abcdefxX.:-_%[]@/ \t\n\x00。．１é"), max_size=40)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_off_the_public_internet_is_refused(address: str) -> None:
    assert refusal_reason(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        PUBLIC_V4,
        PUBLIC_V6,
        "1.1.1.1",
        "8.8.8.8",
        "52.95.110.1",
        "3.5.140.2",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2600:1f18::1",
        "2a05:d014::1",
        "2003::1",
        "3ffd::1",
        "2400:cb00::1",
    ],
)
def test_a_public_address_is_taken(address: str) -> None:
    assert refusal_reason(ip_address(address)) is None


@given(any_address | near_2000)
def test_what_is_taken_is_global_and_nothing_else_by_python_too(address: IPAddress) -> None:
    if refusal_reason(address) is None:
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved
        assert not getattr(address, "is_site_local", False)


@given(st.integers(0, 2**32 - 1))
def test_no_ipv4_address_passes_inside_an_ipv6_one(inner: int) -> None:
    for carried in (inner, inner | 0xFFFF << 32, inner | 0x64FF9B << 96, 0x2002 << 112 | inner << 80):
        assert refusal_reason(IPv6Address(carried))


def test_an_address_of_one_zone_is_refused_and_is_no_loopback() -> None:
    assert refusal_reason(IPv6Address(f"{PUBLIC_V6}%1"))
    assert not is_loopback(IPv6Address("::1%1"))


@pytest.mark.parametrize(
    "address", ["::ffff:127.0.0.1", "::127.0.0.1", "128.0.0.1", "126.255.255.255", "::2"]
)
def test_loopback_is_127_and_1_alone(address: str) -> None:
    assert not is_loopback(ip_address(address))
    assert is_loopback(ip_address("127.0.0.1"))
    assert is_loopback(ip_address("::1"))


@pytest.mark.parametrize("host", [*SPELLINGS, "bücher.customer.example"])
def test_a_spelling_that_is_not_taken_is_refused_without_a_look_up(host: str) -> None:
    assert host_problem(host)


@pytest.mark.parametrize(
    "host",
    [
        "db.customer.example",
        "DB.Customer.Example",
        "a.b",
        "x1.eu-central-1.aws.clickhouse.cloud",
        "1.2.3.com",
        "0x7f.customer.example",
        "xn--bcher-kva.customer.example",
        "xn--strae-oqa.example",
        "a--b.example",
        "r3---sn-x.customer.example",
        PUBLIC_V4,
        PUBLIC_V6,
        "2606:4700::0.0.17.17",
        f"{'a' * 63}.example",
    ],
)
def test_a_name_with_a_dot_and_a_plain_address_are_taken(host: str) -> None:
    assert host_problem(host) is None


@given(numbers | text)
@example("127.0.0.1\n")
@example("0x7f.1")
def test_what_the_system_reads_as_an_address_is_refused_or_the_same_address_here(host: str) -> None:
    if host_problem(host) is None:
        assert _read_by_the_system(host) == literal(host)


def _read_by_the_system(host: str) -> IPAddress | None:
    """What getaddrinfo accepts as an address before it asks a server; inet_aton is its lax parser."""
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        pass
    try:
        return IPv6Address(socket.inet_pton(socket.AF_INET6, host))
    except OSError:
        return None
