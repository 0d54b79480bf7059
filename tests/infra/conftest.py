import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from infra import topology
from tests.infra.synthesized import Templates

Synthesize = Callable[[dict[str, str]], Templates]

CERTIFICATE = "arn:aws:acm:eu-central-1:111122223333:certificate/1"
CHOICES = {
    "alarm_email": "ops@example.org",
    "certificate_arn": CERTIFICATE,
    "cost_alarm_dollars": "2.5",
    "customers_accounts": "111122223333,444455556666",
    "deletion_protection": "false",
    "domain": "logs.example.org",
    "function_alarms": "each",
    "lambda_concurrency": "1000",
    "sync_warehouse_secret": "team/sync",
    "throttle_scale": "0.01",
    "warehouse_engine": "ReplicatedMergeTree",
}
"""Choices of which none changes what another leads to."""


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Synthesizes with a context and with empty zips: what is in them is the business of tests/packaging.

    Each context once: a test that changes templates copies them first.
    """
    from infra import app  # CDK takes seconds to import: only where it is used

    zips = tmp_path_factory.mktemp("zips")
    for function in topology.FUNCTIONS:
        with zipfile.ZipFile(zips / f"{function.folder}.zip", "w") as archive:
            archive.writestr("placeholder", function.folder)

    @cache
    def with_choices(choices: frozenset[tuple[str, str]]) -> Templates:
        context = dict(choices)
        outdir: Path = tmp_path_factory.mktemp("assembly")
        assembly = app.synthesize(zips, outdir, context)
        names = topology.StageNames(context.get("stage", ""))
        return Templates(
            data=assembly.get_stack_by_name(names.data_stack).template,
            compute=assembly.get_stack_by_name(names.compute_stack).template,
            folder=outdir,
        )

    return lambda context: with_choices(frozenset(context.items()))


@pytest.fixture(scope="session")
def templates(synthesize: Synthesize) -> Templates:
    """What is deployed when the operator chooses nothing."""
    return synthesize({})


@pytest.fixture(scope="session")
def chosen(synthesize: Synthesize) -> Templates:
    """What is deployed with CHOICES: all in one synthesis, which takes two seconds of CPU time."""
    return synthesize(CHOICES)


@pytest.fixture(scope="session")
def staged(synthesize: Synthesize, templates: Templates) -> dict[str, Templates]:
    """Stage -> its templates: the default installation and two others."""
    return {"": templates, **{stage: synthesize({"stage": stage}) for stage in ("prod", "test")}}
