"""The first step for any customer address: is it allowed, does it answer, is its certificate valid."""

import socket
import ssl
import time

import certifi

from functions.destinations.steps import StepFailedError, StepPassed
from functions.shared.egress.egress_filter import AddressRefusedError, EgressFilter, UnreachableError

CONNECT_SECONDS = 4.0

_FIXES = {
    "The port": "Use an accepted port, normally 8443 or 443.",
    "The connection": "Use TLS: 'secure' true for ClickHouse, https:// for an endpoint.",
    "Give": "Write the address as https://host or https://host:port.",
}
_NOT_PUBLIC = (
    "Use a host name or address on the public internet. Private networks, and names that resolve to one, are"
    " not accepted."
)

_CERTIFICATES = {
    10: ("The certificate has expired.", "Renew the certificate."),
    18: ("The certificate is self-signed.", "Install a certificate of a public authority."),
    19: ("The certificate's chain is self-signed.", "Install a certificate of a public authority."),
    20: (
        "The certificate's issuer is unknown.",
        "Send the intermediate certificates too, or install a certificate of a public authority.",
    ),
    62: ("The certificate is for another host.", "Give the host name that the certificate was issued for."),
    64: (
        "The certificate is for another address.",
        "Give the host name that the certificate was issued for.",
    ),
}
"""By OpenSSL's code of the certificate error."""

_ANY_CERTIFICATE = ("The certificate is not valid.", "Install a valid certificate of a public authority.")


def reach(
    guard: EgressFilter, host: str, port: int, *, encrypted: bool, ca_certs: str | None = None
) -> StepPassed:
    """Connect, and do a TLS handshake if `encrypted`; send nothing else.

    `ca_certs`: root certificates instead of certifi's.

    Raises
    ------
    StepFailedError
    """
    connected = _connected(guard, host, port, encrypted)
    if not encrypted:
        connected.close()
        return StepPassed("It answers, without TLS.", "Use TLS: without it, data can be read in transit.")
    with connected:
        _shake_hands(connected, host, ca_certs or certifi.where())
    return StepPassed("It answers, and its certificate is valid.")


def address_failure(fault: AddressRefusedError) -> StepFailedError:
    """The failure to report for an address that the egress filter rejects."""
    message = str(fault)
    fix = next((fix for start, fix in _FIXES.items() if message.startswith(start)), _NOT_PUBLIC)
    return StepFailedError(message, fix)


def _connected(guard: EgressFilter, host: str, port: int, encrypted: bool) -> socket.socket:
    began = time.monotonic()
    try:
        return guard.connect(host, port, CONNECT_SECONDS, encrypted=encrypted)
    except AddressRefusedError as fault:
        raise address_failure(fault) from None
    except UnreachableError as fault:
        raise _unreachable(str(fault), time.monotonic() - began) from None


def _unreachable(message: str, seconds: float) -> StepFailedError:
    if "not known" in message:
        return StepFailedError(
            "The host's name does not resolve.", "Check the spelling of the host, and its DNS record."
        )
    if seconds >= CONNECT_SECONDS * 0.9:
        return StepFailedError(
            f"No connection within {CONNECT_SECONDS:.0f} seconds.",
            "Check that it is running, and that its firewall allows all addresses: our addresses change.",
        )
    return StepFailedError(
        "The connection was refused: nothing listens at that port.",
        "Check the port, and that the service runs and listens on its public address.",
    )


def _shake_hands(connected: socket.socket, host: str, ca_certs: str) -> None:
    try:
        ssl.create_default_context(cafile=ca_certs).wrap_socket(connected, server_hostname=host).close()
    except ssl.SSLCertVerificationError as fault:
        raise StepFailedError(*_CERTIFICATES.get(fault.verify_code, _ANY_CERTIFICATE)) from None
    except TimeoutError:
        raise StepFailedError(
            "No TLS handshake in time.", "Check that the service at this port uses TLS."
        ) from None
    except OSError:
        raise StepFailedError(
            "The service at this port does not use TLS.",
            "Use the port of the encrypted interface, normally 8443 for ClickHouse and 443 for S3.",
        ) from None
