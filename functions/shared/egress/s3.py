"""S3 in a customer's account or at a customer's address: boto3 behind the egress filter.

obstore, which accesses our own bucket, has no hook for the resolver (docs/adr/0009).
"""

import os
import re
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from functions.shared.egress.egress_filter import EgressFilter
from functions.shared.errors import PermanentError
from functions.shared.secret_text import SecretText

MAX_RETRIES = 2

_AWS_REGION = re.compile(
    r"[a-z]{2}(-gov)?-(central|north|south|east|west|northeast|northwest|southeast|southwest)-[1-9]"
)
_OTHER_REGION = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
"""Outside AWS a region is just a word to sign with: `auto`, `fr-par`, `us-west-004`."""

_one_at_a_time = Lock()
"""A boto3 session can create one client at a time."""

_LAMBDA_HEADERS = ("X-Amzn-Trace-Id",)
"""Headers that botocore adds inside a Lambda after signing, which describe our own function."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for one attempt: to connect, and between two bytes of the answer."""

    connect_seconds: float = 3
    read_seconds: float = 10


def filtered_s3_client(
    guard: EgressFilter,
    region: str,
    endpoint: str | None,
    access_key_id: SecretText,
    secret_access_key: SecretText,
    timeouts: Timeouts = Timeouts(),
    ca_certs: str | None = None,
    session_token: SecretText | None = None,
) -> Any:
    """A boto3 S3 client with only these credentials, which connects only where `guard` allows.

    `endpoint` None is AWS's own for that region. Nothing is read from the environment, from files or from the
    metadata service, except in the local stack, with `AWS_ENDPOINT_URL` and a guard that allows loopback.

    Raises
    ------
    PermanentError: the region is invalid.
    AddressRefusedError: for the endpoint, here or with a request.
    """
    address = endpoint or _local_endpoint(guard)
    if address:
        guard.check_url(address)
    if not (_OTHER_REGION if address else _AWS_REGION).fullmatch(region) or "fips" in region:
        raise PermanentError("The region is not a valid S3 region.")
    client = _client(region, address, access_key_id, secret_access_key, session_token, timeouts)
    _send_through(guard, client, timeouts, ca_certs)
    return client


def _local_endpoint(guard: EgressFilter) -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL") if guard.allow_loopback else None


def _client(
    region: str,
    endpoint: str | None,
    access_key_id: SecretText,
    secret_access_key: SecretText,
    session_token: SecretText | None,
    timeouts: Timeouts,
) -> Any:
    with _one_at_a_time:
        return _unconfigured_session().client(
            "s3",
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=access_key_id.reveal(),
            aws_secret_access_key=secret_access_key.reveal(),
            aws_session_token=session_token.reveal() if session_token else None,
            # boto3's default makes URLs without a region, which do not work in all regions.
            config=_configuration("path" if endpoint else "virtual", timeouts),
        )


def _configuration(addressing_style: str, timeouts: Timeouts) -> Any:
    from botocore.config import Config

    return Config(
        signature_version="s3v4",
        s3={
            "addressing_style": addressing_style,
            "us_east_1_regional_endpoint": "regional",
            "use_arn_region": False,
        },
        retries={"mode": "standard", "max_attempts": MAX_RETRIES},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=timeouts.connect_seconds,
        read_timeout=timeouts.read_seconds,
        user_agent="astralog",
        proxies={},
        ignore_configured_endpoint_urls=True,
    )


@cache
def _unconfigured_session() -> Any:
    """A boto3 session with default variables, whatever the environment and files say.

    It holds no credentials. All clients share it, because it loads S3's model, which is slow.
    """
    import boto3
    from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES as VARIABLES
    from botocore.configprovider import ConfigValueStore, ConstantProvider
    from botocore.session import Session

    values = {name: default for name, (_, _, default, _) in VARIABLES.items()}
    values |= {"config_file": os.devnull, "credentials_file": os.devnull, "s3": {}, "proxies_config": {}}
    session = Session()
    store = ConfigValueStore({name: ConstantProvider(value) for name, value in values.items()})
    session.register_component("config_store", store)
    return boto3.Session(botocore_session=session)


def _send_through(guard: EgressFilter, client: Any, timeouts: Timeouts, ca_certs: str | None) -> None:
    """Make `guard` send what `client` has signed.

    `before-send` is botocore's documented hook for this: what it returns is the answer, what it raises is the
    error, and the client's own session is never used.
    """
    from functions.shared.egress.botocore_session import FilteredSession

    session = FilteredSession(guard, (timeouts.connect_seconds, timeouts.read_seconds), ca_certs or True)

    def send(request: Any, **_: Any) -> Any:
        for name in _LAMBDA_HEADERS:
            request.headers.pop(name, None)
        return session.send(request)

    client.meta.events.register_first("before-send.s3", send)
