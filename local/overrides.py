"""Deliberate differences from the cloud, each with its reason. There are no others.

A deployed queue hides a message for six times its consumer's timeout. Here people kill processes and watch
them recover, so the messages of a killed consumer must be redelivered within half a minute, and the consumer
must time out before that; a file that takes longer to read continues in another invocation. Sync begins a
batch only while an insert's timeout and its own margin of 5 s fit into its remaining time, so it begins
batches in the time between the two.

Customers' own clouds are on this machine too; a deployed function would refuse to connect to them. All people
sign in from one address, and response times need not hide which accounts exist.
Four invocations read files here, so an account has one of them, where it has 2 of 20 in the cloud.
A search has one thread of the engine, and a tenant two searches at a time: the machine has few cores, and
the function four environments.
Links to the documentation in mails lead to the pages of this clone. The OpenAPI document and the dashboard
are those of this clone.
"""

from dataclasses import replace

from infra.topology import FUNCTIONS, QUEUES, Function, Queue
from local.dashboard import PAGE_FILES
from local.naming import PROJECT_ROOT
from openapi.build import TARGET

VISIBILITY_SECONDS = 30
SYNC_TIMEOUT_SECONDS = 20
INSERT_TIMEOUT_SECONDS = 10

QUICKER = frozenset({"sync", "sync-byoc", "dropin", "dropin-byoc"})
HERE = {
    "insert_timeout_seconds": str(INSERT_TIMEOUT_SECONDS),
    "allow_loopback_destinations": "true",
    "attempts_an_address": "1000",
    "min_response_ms": "50",
    "slots_a_tenant": "1",
    "searches_at_once": "2",
    "query_threads": "1",
    "docs_address": str(PROJECT_ROOT / "docs"),
    "openapi_path": str(TARGET),
    "page_files": str(PAGE_FILES),
}


def queues() -> tuple[Queue, ...]:
    """The queues as provisioned here."""
    return tuple(replace(queue, visibility_seconds=VISIBILITY_SECONDS) for queue in QUEUES)


def functions() -> tuple[Function, ...]:
    """The functions as they run here."""
    return tuple(_at_home(function) for function in FUNCTIONS)


def function(name: str) -> Function:
    """The function of that name as it runs here; KeyError if there is none."""
    return {each.name: each for each in functions()}[name]


def _at_home(function: Function) -> Function:
    """`function` with the settings of HERE that it has, and a shorter timeout if it is in QUICKER."""
    settings = {name: HERE.get(name, value) for name, value in function.settings.items()}
    seconds = SYNC_TIMEOUT_SECONDS if function.name in QUICKER else function.timeout_seconds
    return replace(function, timeout_seconds=seconds, settings=settings)
