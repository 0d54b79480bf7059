"""What a function must not load when it starts: each of these costs a cold start tens or hundreds of ms."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import pytest

from infra.build import ROOT
from infra.topology import FUNCTIONS, function

NEVER = {"pydantic", "stripe", "cryptography", "moto", "chdb", "aws_cdk", "requests", "pandas", "numpy"}

AWS = {"boto3", "botocore"}

SLOW_STANDARD_LIBRARY = {"dataclasses", "logging"}
"""Each takes milliseconds, and so does each dataclass; a NamedTuple takes an eighth."""

RARELY_NEEDED = {"_hashlib", "hashlib", "pathlib", "random", "secrets"}
"""Hashes for requests with an Idempotency-Key, resends and requests that wait; paths for none: 2 to 4 ms."""

LIGHT = {"ingest", "authorizer"}
"""Functions on the path of each request, which write their log lines without Powertools (docs/adr/0007)."""

FORBIDDEN = {
    "ingest": NEVER
    | AWS
    | SLOW_STANDARD_LIBRARY
    | RARELY_NEEDED
    | {"pynamodb", "clickhouse_connect", "aws_lambda_powertools", "urllib3", "joserfc"},
    "authorizer": NEVER
    | AWS
    | {"pynamodb", "urllib3", "msgspec", "aws_lambda_powertools", "clickhouse_connect", "obstore", "joserfc"},
    "sign-in": NEVER | {"clickhouse_connect", "obstore", "joserfc"},
    "accounts": NEVER | {"clickhouse_connect", "obstore", "joserfc"},
    "destinations": NEVER | {"obstore"},
    "watch": NEVER | {"obstore", "clickhouse_connect"},
    "notifier": NEVER | {"obstore", "clickhouse_connect", "msgspec"},
    "unsubscribe": NEVER | {"obstore", "clickhouse_connect", "msgspec"},
    "mail-feedback": NEVER | {"obstore", "clickhouse_connect", "msgspec"},
    "sync": NEVER | {"boto3"},
    "sync-byoc": NEVER,
    "query": NEVER | {"boto3", "pynamodb", "obstore"},
    "tail": NEVER | {"boto3", "obstore"},
    "search-exporter": NEVER | {"obstore", "pyarrow"},
    "retention": NEVER,
    "retention-check": NEVER,
    "telemetry": NEVER | {"clickhouse_connect"},
    "sweeper": NEVER | {"clickhouse_connect"},
    "sweeper-byoc": NEVER | {"obstore", "clickhouse_connect"},
    "queue-check": NEVER | {"pynamodb", "obstore", "clickhouse_connect", "boto3", "msgspec"},
    "quarantine": NEVER | {"pynamodb", "clickhouse_connect"},
    "billing": NEVER | {"obstore", "clickhouse_connect"},
    "stripe-webhook": NEVER | {"obstore", "clickhouse_connect"},
    "bookkeeper": NEVER | {"obstore", "clickhouse_connect"},
    "closer": NEVER | {"obstore", "clickhouse_connect"},
    "meter": NEVER | {"obstore", "clickhouse_connect"},
    "report": NEVER | {"obstore", "clickhouse_connect"},
    "reconcile": NEVER | {"obstore"},
    "uploads": NEVER | {"obstore", "clickhouse_connect", "boto3", "pyarrow"},
    "dropin": NEVER | {"clickhouse_connect", "boto3", "pyarrow"},
    "dropin-byoc": NEVER | {"obstore", "clickhouse_connect", "boto3", "pyarrow"},
    "sweeper-dropin": NEVER | {"obstore", "clickhouse_connect", "boto3", "pyarrow"},
    "migrate": NEVER | {"pynamodb", "obstore", "msgspec"},
    "page": NEVER | {"boto3", "pynamodb", "obstore", "clickhouse_connect", "msgspec"},
    "privacy": NEVER | {"obstore", "clickhouse_connect", "joserfc"},
    "exporter": NEVER | {"joserfc"},
    "eraser": NEVER | {"joserfc"},
    "eraser-byoc": NEVER | {"joserfc"},
}

MOST_MODULES = {
    "authorizer": 40,
    "sign-in": 280,
    "accounts": 290,
    "destinations": 360,
    "watch": 240,
    "billing": 340,
    "stripe-webhook": 335,
    "bookkeeper": 320,
    "closer": 320,
    "meter": 320,
    "report": 320,
    "reconcile": 400,
    "notifier": 245,
    "unsubscribe": 240,
    "mail-feedback": 285,
    "ingest": 80,
    "sync": 350,
    "sync-byoc": 360,
    "query": 280,
    "tail": 400,
    "search-exporter": 455,
    "quarantine": 120,
    "retention": 395,
    "retention-check": 385,
    "telemetry": 260,
    "sweeper": 255,
    "sweeper-byoc": 260,
    "queue-check": 70,
    "privacy": 290,
    "exporter": 415,
    "eraser": 465,
    "eraser-byoc": 465,
    "uploads": 275,
    "dropin": 325,
    "dropin-byoc": 325,
    "sweeper-dropin": 275,
    "migrate": 320,
    "page": 70,
}
"""Modules that a handler's import may load beside the standard library's: a measure of its cold start that is
the same on every machine (docs/performance.md). The standard library's differ by Python version."""

HEADROOM = 25
"""How far a number may be above the modules that there are."""

TURNS = {"dropin", "dropin-byoc"}
"""Functions that schedule a whole batch by account."""

WHOLE_BATCHES = TURNS | {"sync", "sync-byoc"}
"""Functions that know the answer of each message at once, and answer SQS by themselves (docs/adr/0007)."""

MAKE_SECRETS = "from functions.shared.signed_secrets import SignedSecrets; SignedSecrets()"

FIRST_CALLS = {
    "query": f"handler._managed_search(); {MAKE_SECRETS}",
    "sync": f"handler._sync(); {MAKE_SECRETS}",
}
"""What the first call makes before it sends a request."""

NO_SETTINGS: Mapping[str, str] = {}

IMPORT = """
import importlib, json, sys

def refuse(event, _):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        raise SystemExit(event)

sys.addaudithook(refuse)
handler = importlib.import_module(sys.argv[1])
exec(sys.argv[2])
loaded = [*sys.modules]
from functions.shared import journal
print(json.dumps({"modules": loaded, "writer": type(journal._writer).__name__}))
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Names of all modules that an import loaded, and of the class that then writes log lines."""

    modules: frozenset[str]
    writer: str

    @property
    def package_of(self) -> dict[str, str]:
        """Module -> the package at its root."""
        return {module: module.partition(".")[0] for module in self.modules}

    @property
    def packages(self) -> set[str]:
        return set(self.package_of.values())


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_importing_a_handler_loads_nothing_it_must_not(name: str) -> None:
    assert _handler(name).packages & FORBIDDEN[name] == set()


@pytest.mark.parametrize("name", sorted(MOST_MODULES))
def test_importing_a_handler_loads_few_modules(name: str) -> None:
    loaded = sum(each not in sys.stdlib_module_names for each in _handler(name).package_of.values())

    assert loaded <= MOST_MODULES[name]
    assert MOST_MODULES[name] - loaded <= HEADROOM, "lower the number, so that it stays a bound"


@pytest.mark.parametrize("name", sorted(FORBIDDEN.keys() - LIGHT))
def test_a_function_off_the_path_of_requests_writes_with_powertools(name: str) -> None:
    assert _handler(name).writer == "PowertoolsWriter"


@pytest.mark.parametrize("name", sorted(each.name for each in FUNCTIONS if each.source))
def test_a_function_that_reads_a_queue_answers_with_the_batch_processor_unless_it_settles_whole_batches(
    name: str,
) -> None:
    loaded = _handler(name).modules

    assert ("functions.uploads.turns" in loaded) is (name in TURNS)
    assert ("aws_lambda_powertools.utilities.batch" in loaded) is (name not in WHOLE_BATCHES)


def test_every_function_has_a_list_of_modules_it_must_not_load() -> None:
    assert FORBIDDEN.keys() == MOST_MODULES.keys() == {each.name for each in FUNCTIONS}


@pytest.mark.parametrize(
    "name", sorted({name for route in function("ingest").routes for name in route.protocols})
)
def test_loading_a_protocol_loads_nothing_that_ingest_must_not(name: str) -> None:
    """Protocols are imported at the first request to one of their routes, so the test above misses them."""
    loaded = _loaded_by(f"functions.ingest.protocols.{name}")

    assert loaded.packages & (FORBIDDEN["ingest"] - SLOW_STANDARD_LIBRARY - RARELY_NEEDED) == set()


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_importing_a_handler_needs_no_setting_and_opens_no_connection(name: str) -> None:
    """The environment is empty, and an audit hook ends the interpreter at a connection."""
    assert function(name).handler.rpartition(".")[0] in _handler(name).modules


def test_a_connection_ends_the_interpreter() -> None:
    with pytest.raises(AssertionError, match=r"socket\.getaddrinfo"):
        _loaded_by("tests.packaging.connects")


@pytest.mark.parametrize(("name", "made"), FIRST_CALLS.items())
def test_the_first_call_makes_no_client_of_boto3(name: str, made: str) -> None:
    settings = {
        f"ASTRALOG_{setting.upper()}": value.rpartition(":")[2]
        for setting, value in function(name).settings.items()
    }
    ours = {**settings, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}

    loaded = _loaded(function(name).handler.rpartition(".")[0], made, ours)

    assert "functions.shared.signed_secrets" in loaded.modules
    assert "boto3" not in loaded.packages


def _handler(name: str) -> Loaded:
    return _loaded_by(function(name).handler.rpartition(".")[0])


@cache
def _loaded_by(module: str) -> Loaded:
    """What a fresh interpreter loads with `module`, without settings; it may open no connection."""
    return _loaded(module)


def _loaded(module: str, then: str = "", environment: Mapping[str, str] = NO_SETTINGS) -> Loaded:
    """`then`: a statement that runs after the import, with the module as `handler`."""
    ran = subprocess.run(
        [sys.executable, "-c", IMPORT, module, then],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    return Loaded(frozenset(result["modules"]), result["writer"])
