"""Where one rehearsal runs: its folders, ports and generated secrets."""

import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.naming import LOOPBACK, PROJECT_ROOT

REGION = "us-east-1"
ACCOUNT = "000000000000"
HOST = "localhost"
"""The emulator's name in the URLs it gives out; the API is at <id>.execute-api.<HOST>."""

VENV = PROJECT_ROOT / ".venv-rehearse"
DATABASE = "astralog"
CUSTOMERS_DATABASE = "initech"
WAREHOUSE_USER, SEARCH_USER, CUSTOMERS_USER = "astralog", "astralog_search", "initech"
MOVED_CLOCK = PROJECT_ROOT / "rehearsal" / "moved_clock"
MAIL_FROM = "no-reply@rehearsal.example"


def _password() -> str:
    return secrets.token_urlsafe(18)


@dataclass(frozen=True, slots=True)
class Site:
    """One rehearsal. All files are below `root`; all servers listen on the loopback address."""

    root: Path
    emulator_port: int
    proxy_port: int
    clickhouse_port: int
    stripe_port: int
    warehouse_password: str = field(default_factory=_password, repr=False)
    search_password: str = field(default_factory=_password, repr=False)
    customers_password: str = field(default_factory=_password, repr=False)
    stripe_key: str = field(default_factory=lambda: f"sk_test_{secrets.token_hex(24)}", repr=False)
    webhook_secret: str = field(default_factory=lambda: f"whsec_{secrets.token_hex(24)}", repr=False)

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def clock(self) -> Path:
        """The file with the seconds by which the schedules' clock is ahead."""
        return self.root / "clock"

    @property
    def functions_clock(self) -> Path:
        """The file with the seconds by which the functions' clock is ahead."""
        return self.root / "functions-clock"

    @property
    def assembly(self) -> Path:
        """The synthesized templates and assets."""
        return self.root / "cdk.out"

    @property
    def aws(self) -> str:
        """The URL of all AWS services: that of the proxy."""
        return f"http://{LOOPBACK}:{self.proxy_port}"

    @property
    def emulator(self) -> str:
        return f"http://{LOOPBACK}:{self.emulator_port}"

    @property
    def clickhouse(self) -> str:
        return f"http://{LOOPBACK}:{self.clickhouse_port}"

    @property
    def stripe(self) -> str:
        return f"http://{LOOPBACK}:{self.stripe_port}"

    @property
    def clickhouse_users(self) -> dict[str, dict[str, str]]:
        return {
            WAREHOUSE_USER: {"password": self.warehouse_password, "database": DATABASE},
            SEARCH_USER: {"password": self.search_password, "database": DATABASE, "readonly": "2"},
            CUSTOMERS_USER: {"password": self.customers_password, "database": CUSTOMERS_DATABASE},
        }

    def clickhouse_address(self, user: str) -> dict[str, Any]:
        """The fields of functions.shared.clickhouse_address.ClickHouseAddress for one of the users."""
        known = self.clickhouse_users[user]
        return {
            "host": LOOPBACK,
            "port": self.clickhouse_port,
            "secure": False,
            "user": user,
            "password": known["password"],
            "database": known["database"],
        }

    @property
    def secret_values(self) -> dict[str, dict[str, Any]]:
        """What the operator stores in Secrets Manager before the deployment, by name."""
        return {
            "astralog/warehouse": self.clickhouse_address(WAREHOUSE_USER),
            "astralog/search": self.clickhouse_address(SEARCH_USER),
            "astralog/stripe": {"api_key": self.stripe_key, "webhook_secret": self.webhook_secret},
        }


def new_site(root: Path) -> Site:
    """A site with free ports; its folders exist."""
    with socket.socket() as one, socket.socket() as two, socket.socket() as three, socket.socket() as four:
        for each in (one, two, three, four):
            each.bind((LOOPBACK, 0))
        ports = [each.getsockname()[1] for each in (one, two, three, four)]
    site = Site(root, *ports)
    site.logs.mkdir(parents=True)
    for clock in (site.clock, site.functions_clock):
        clock.write_text("0")
    return site


def emulator_environment(site: Site) -> dict[str, str]:
    """The emulator's settings, which its functions inherit. None of the caller's variables."""
    temporary = site.root / "tmp"
    temporary.mkdir(exist_ok=True)
    return {
        "AUTH": "true",
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(site.emulator_port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "LOG_LEVEL": "INFO",
        # Two services that open ports of their own, beyond the loopback address.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PATH": f"{VENV / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # The only project code that functions find outside of their zips: it moves their clock.
        "PYTHONPATH": str(MOVED_CLOCK),
        **clock_variables(site),
        **aws_variables(site),
    }


def clock_variables(site: Site) -> dict[str, str]:
    """What makes a Python process with MOVED_CLOCK in its path follow the functions' clock."""
    return {"ASTRALOG_REHEARSAL_CLOCK": str(site.functions_clock)}


def aws_variables(site: Site) -> dict[str, str]:
    """Variables of every AWS client here: the account's root, at the proxy; AWS_ALLOW_HTTP is obstore's."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": site.aws,
        "AWS_ENDPOINT_URL_S3": site.aws,
        "AWS_ALLOW_HTTP": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
