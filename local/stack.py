"""One local stack: its ports, keys and folders, and its description in `stack.json`."""

import json
import os
import secrets
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from functions.accounts.keys import generate
from functions.shared.tenancy import TenantId, dropin_prefix
from local.byoc import ByocDestination
from local.endpoints import Endpoints
from local.naming import LOOPBACK, REGION, physical

DATABASE = "astralog"
WAREHOUSE_USER = "astralog"
SEARCH_USER = "astralog_search"
STAGING = "staging"
DROP = "drop"

ACCOUNTS = ("acme", "globex")
"""Managed accounts: two, because tests with a single tenant prove too little."""

BYOC_ACCOUNT = "initech"

SCOPES = ("ingest", "read", "admin")

Keys = Mapping[str, Mapping[str, str]]
"""Account -> scope -> key."""


def new_keys() -> Keys:
    """Keys for all accounts, one per scope."""
    return {account: {scope: generate() for scope in SCOPES} for account in (*ACCOUNTS, BYOC_ACCOUNT)}


@dataclass(frozen=True, slots=True)
class StripeSecrets:
    """Secrets from Stripe: the API key, and the secret that signs webhooks."""

    api_key: str = field(default_factory=lambda: f"sk_test_{secrets.token_hex(24)}", repr=False)
    webhook_secret: str = field(default_factory=lambda: f"whsec_{secrets.token_hex(24)}", repr=False)


class PortTakenError(Exception):
    """Another process listens on the requested port."""


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of a stack, all below `root`."""

    root: Path

    @property
    def page(self) -> Path:
        return self.root / "stack.json"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def tables(self) -> Path:
        return self.root / "clickhouse"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def stripe(self) -> Path:
        return self.root / "stripe"


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack; the ports stay the same when a child restarts."""

    places: Places
    gateway_port: int
    aws_port: int
    clickhouse_port: int
    stripe_port: int
    keys: Keys = field(default_factory=new_keys, repr=False)
    warehouse_password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    search_password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    stripe_secrets: StripeSecrets = field(default_factory=StripeSecrets)
    byoc: ByocDestination = field(default_factory=ByocDestination)

    @property
    def api(self) -> str:
        return f"http://{LOOPBACK}:{self.gateway_port}"

    @property
    def aws_endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.aws_port}"

    @property
    def clickhouse(self) -> str:
        return f"http://{LOOPBACK}:{self.clickhouse_port}"

    @property
    def stripe(self) -> str:
        return f"http://{LOOPBACK}:{self.stripe_port}"

    @property
    def webhook(self) -> str:
        """The URL to which Stripe sends its events."""
        return f"{self.api}/v1/stripe/webhook"

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(self.aws_endpoint, {"api": self.api, "stripe": self.stripe})

    @property
    def secret_values(self) -> dict[str, dict[str, Any]]:
        """The values in Secrets Manager: the topology's secrets by name."""
        search = {**self.warehouse, "user": SEARCH_USER, "password": self.search_password}
        return {"warehouse": self.warehouse, "search": search, "stripe": asdict(self.stripe_secrets)}

    @property
    def warehouse(self) -> dict[str, Any]:
        """The fields of functions.shared.clickhouse_address.ClickHouseAddress."""
        return {
            "host": LOOPBACK,
            "port": self.clickhouse_port,
            "secure": False,
            "user": WAREHOUSE_USER,
            "password": self.warehouse_password,
            "database": DATABASE,
        }

    @property
    def clickhouse_users(self) -> dict[str, dict[str, str]]:
        """The functions' users, and `default` without a password for people, as in a new ClickHouse."""
        return {
            WAREHOUSE_USER: {"password": self.warehouse_password, "database": DATABASE},
            SEARCH_USER: {"password": self.search_password, "database": DATABASE, "readonly": "2"},
            "default": {"password": "", "database": DATABASE},
            self.byoc.user: {"password": self.byoc.password, "database": self.byoc.database},
        }

    @property
    def destination(self) -> dict[str, Any]:
        """The body of PUT /v1/destination for the BYOC account."""
        cloud = self.byoc
        return {
            "bucket": {
                "name": cloud.bucket,
                "region": REGION,
                "access_key_id": cloud.access_key_id,
                "secret_access_key": cloud.secret_access_key,
            },
            "clickhouse": {
                "host": LOOPBACK,
                "port": self.clickhouse_port,
                "secure": False,
                "user": cloud.user,
                "password": cloud.password,
                "database": cloud.database,
            },
        }

    def page(self, pids: Mapping[str, int]) -> dict[str, Any]:
        """The contents of `stack.json`."""
        first, second = ACCOUNTS
        return {
            "api": self.api,
            "keys": self.keys[first],
            "second_account": {
                "keys": self.keys[second],
                "drop_prefix": dropin_prefix(TenantId(second)),
            },
            "byoc_account": {
                "keys": self.keys[BYOC_ACCOUNT],
                "bucket": self.byoc.bucket,
                "database": self.byoc.database,
                "destination": self.destination,
                "drop_bucket": self.byoc.bucket,
                "drop_prefix": dropin_prefix(TenantId(BYOC_ACCOUNT)),
            },
            "clickhouse": self.clickhouse,
            "aws_endpoint": self.aws_endpoint,
            "staging_bucket": physical(STAGING),
            "drop_bucket": physical(DROP),
            "drop_prefix": dropin_prefix(TenantId(first)),
            "mail": f"{self.aws_endpoint}/_mail",
            "stripe": self.stripe,
            "pids": dict(pids),
        }


def new_stack(places: Places, gateway_port: int) -> Stack:
    """A stack with free ports for all but the gateway.

    Raises
    ------
    PortTakenError: another process listens on `gateway_port`.
    """
    with (
        socket.socket() as gateway,
        socket.socket() as aws,
        socket.socket() as clickhouse,
        socket.socket() as stripe,
    ):
        gateway.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            gateway.bind((LOOPBACK, gateway_port))
        except OSError as fault:
            raise PortTakenError(f"Port {gateway_port} is in use. Choose another with PORT=…") from fault
        for each in (aws, clickhouse, stripe):
            each.bind((LOOPBACK, 0))
        return Stack(
            places=places,
            gateway_port=gateway.getsockname()[1],
            aws_port=aws.getsockname()[1],
            clickhouse_port=clickhouse.getsockname()[1],
            stripe_port=stripe.getsockname()[1],
        )


def publish(page: Mapping[str, Any], path: Path) -> None:
    """Replace the file at `path` atomically: a reader sees the old page or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        json.dump(page, file, indent=2)
    Path(name).replace(path)
