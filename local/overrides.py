"""Where one machine differs from the cloud on purpose, each with its reason. Nothing else differs.

A deployed queue hides a message for six times its consumer's timeout. Here people kill processes and watch
them recover, so what a killed consumer held must come back in half a minute, and its consumer must give up
before that; a file that takes longer to read goes on in another invocation. Sync begins a batch only while an
insert's timeout and its own margin of 5 s fit into what is left of its own, so between the two lies the time
in which it begins batches.

Customers' own clouds are on this machine too, where a deployed function would refuse to connect. Everybody
signs in from the same address, and the time of an answer need not hide from anybody who has an account.
Two invocations read files here, so an account has one of them, where it has 2 of 20 in the cloud.
A search has one thread of the engine, and a tenant two searches at a time: the machine has few cores, and
the function four environments.
There is no dashboard yet; whom Stripe's pages lead back stays on this machine all the same.
"""

from dataclasses import replace

from infra.topology import FUNCTIONS, QUEUES, Function, Queue

VISIBILITY_SECONDS = 30
SYNC_TIMEOUT_SECONDS = 20
INSERT_TIMEOUT_SECONDS = 10

QUICKER = frozenset({"sync", "sync-byoc", "dropin", "dropin-byoc"})
HERE = {
    "insert_timeout_seconds": str(INSERT_TIMEOUT_SECONDS),
    "allow_loopback_destinations": "true",
    "attempts_an_address": "1000",
    "even_ms": "50",
    "slots_a_tenant": "1",
    "searches_at_once": "2",
    "query_threads": "1",
    "dashboard_address": "service:api",
}


def queues() -> tuple[Queue, ...]:
    """The queues as they are provisioned here."""
    return tuple(replace(queue, visibility_seconds=VISIBILITY_SECONDS) for queue in QUEUES)


def functions() -> tuple[Function, ...]:
    """The functions as they are run here."""
    return tuple(_at_home(function) for function in FUNCTIONS)


def function(name: str) -> Function:
    """The function of that name as it is run here; KeyError when there is none."""
    return {each.name: each for each in functions()}[name]


def _at_home(function: Function) -> Function:
    """`function` with those of HERE that it has, and less time if it is one of QUICKER."""
    settings = {name: HERE.get(name, value) for name, value in function.settings.items()}
    seconds = SYNC_TIMEOUT_SECONDS if function.name in QUICKER else function.timeout_seconds
    return replace(function, timeout_seconds=seconds, settings=settings)
