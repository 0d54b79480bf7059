"""A hostile tenant at its worst, and what another one notices: `make soak`. Alone: `make fairness`."""

import pytest

from tests.fairness.attacks import ATTACKS
from tests.fairness.measure import measure
from tests.integration.stack import running_stack


@pytest.mark.soak
def test_a_hostile_tenant_leaves_another_its_time(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, report = measure(lambda: running_stack(tmp_path_factory.mktemp("stack")), list(ATTACKS), rounds=6)
    with capsys.disabled():
        print("\n" + "\n".join(report.lines()))
    assert report.is_fair
