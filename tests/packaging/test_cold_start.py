"""What a function must not load when it starts: each of these costs a cold start tens or hundreds of ms."""

import json
import subprocess
import sys

import pytest

from infra.build import ROOT
from infra.topology import FUNCTIONS, function

NEVER = {"pydantic", "stripe", "cryptography", "moto", "chdb", "aws_cdk", "requests", "pandas", "numpy"}

AWS = {"boto3", "botocore"}

FORBIDDEN = {
    "ingest": NEVER | AWS | {"pynamodb", "clickhouse_connect", "aws_lambda_powertools", "urllib3", "joserfc"},
    "authorizer": NEVER | {"clickhouse_connect", "obstore", "pynamodb", "joserfc"},
    "sign-in": NEVER | {"clickhouse_connect", "obstore", "pynamodb", "joserfc"},
    "accounts": NEVER | {"clickhouse_connect", "obstore", "pynamodb", "joserfc"},
    "destinations": NEVER | {"pynamodb", "obstore"},
    "watch": NEVER | {"pynamodb", "obstore", "clickhouse_connect"},
    "notifier": NEVER | {"pynamodb", "obstore", "clickhouse_connect", "msgspec"},
    "unsubscribe": NEVER | {"pynamodb", "obstore", "clickhouse_connect", "msgspec"},
    "mail-feedback": NEVER | {"pynamodb", "obstore", "clickhouse_connect", "msgspec"},
    "sync": NEVER,
    "sync-byoc": NEVER,
    "query": NEVER | {"pynamodb", "obstore"},
    "retention": NEVER | {"pynamodb"},
    "retention-check": NEVER | {"pynamodb"},
    "telemetry": NEVER | {"pynamodb", "clickhouse_connect"},
    "sweeper": NEVER | {"pynamodb", "clickhouse_connect"},
    "sweeper-byoc": NEVER | {"pynamodb", "obstore", "clickhouse_connect"},
    "quarantine": NEVER | {"pynamodb", "clickhouse_connect"},
    "billing": NEVER | {"pynamodb", "obstore", "clickhouse_connect"},
    "stripe-webhook": NEVER | {"pynamodb", "obstore", "clickhouse_connect"},
    "bookkeeper": NEVER | {"pynamodb", "obstore", "clickhouse_connect"},
    "closer": NEVER | {"pynamodb", "obstore", "clickhouse_connect"},
    "meter": NEVER | {"pynamodb", "obstore", "clickhouse_connect"},
    "report": NEVER | {"pynamodb", "obstore", "clickhouse_connect"},
    "reconcile": NEVER | {"pynamodb", "obstore"},
    "uploads": NEVER | {"pynamodb", "obstore", "clickhouse_connect", "boto3", "pyarrow"},
    "dropin": NEVER | {"pynamodb", "clickhouse_connect", "boto3", "pyarrow"},
    "dropin-byoc": NEVER | {"pynamodb", "obstore", "clickhouse_connect", "boto3", "pyarrow"},
    "sweeper-dropin": NEVER | {"pynamodb", "obstore", "clickhouse_connect", "boto3", "pyarrow"},
    "migrate": NEVER | {"pynamodb", "obstore", "msgspec"},
    "privacy": NEVER | {"pynamodb", "obstore", "clickhouse_connect", "joserfc"},
    "exporter": NEVER | {"pynamodb", "joserfc"},
    "eraser": NEVER | {"pynamodb", "joserfc"},
    "eraser-byoc": NEVER | {"pynamodb", "joserfc"},
}

IMPORT_AND_PRINT = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps([*sys.modules]))
"""

REFUSE_CONNECTIONS = """
import sys
def refuse(event, _):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        raise SystemExit(event)
sys.addaudithook(refuse)
"""


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_importing_a_handler_loads_nothing_it_must_not(name: str) -> None:
    loaded = {module.split(".")[0] for module in _loaded_by(function(name).handler.rpartition(".")[0])}

    assert loaded & FORBIDDEN[name] == set()


def test_every_function_has_a_list_of_modules_it_must_not_load() -> None:
    assert FORBIDDEN.keys() == {each.name for each in FUNCTIONS}


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_importing_a_handler_needs_no_setting_and_opens_no_connection(name: str) -> None:
    """The environment is empty, and an audit hook ends the interpreter at a connection."""
    _loaded_by(function(name).handler.rpartition(".")[0], before=REFUSE_CONNECTIONS)


def _loaded_by(module: str, before: str = "") -> set[str]:
    """All modules in a fresh interpreter after importing `module`, without any of our settings."""
    ran = subprocess.run(
        [sys.executable, "-c", before + IMPORT_AND_PRINT, module],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout))
