"""Where one machine differs from the cloud on purpose, each with its reason. Nothing else differs.

A deployed queue hides a message for six times its consumer's timeout. Here people kill processes and watch
them recover, so what a killed consumer held must come back in half a minute, and its consumer must give up
before that. Sync begins a batch only while an insert's timeout and its own margin of 5 s fit into what is
left of its own, so between the two lies the time in which it begins batches.
"""

from dataclasses import replace

from infra.topology import FUNCTIONS, QUEUES, Function, Queue

VISIBILITY_SECONDS = 30
SYNC_TIMEOUT_SECONDS = 20
INSERT_TIMEOUT_SECONDS = 10


def queues() -> tuple[Queue, ...]:
    """The queues as they are provisioned here."""
    return tuple(replace(queue, visibility_seconds=VISIBILITY_SECONDS) for queue in QUEUES)


def functions() -> tuple[Function, ...]:
    """The functions as they are run here."""
    return tuple(_quicker(function) if function.name == "sync" else function for function in FUNCTIONS)


def function(name: str) -> Function:
    """The function of that name as it is run here; KeyError when there is none."""
    return {each.name: each for each in functions()}[name]


def _quicker(sync: Function) -> Function:
    settings = {**sync.settings, "insert_timeout_seconds": str(INSERT_TIMEOUT_SECONDS)}
    return replace(sync, timeout_seconds=SYNC_TIMEOUT_SECONDS, settings=settings)
