"""What a rehearsal changes in the templates: its substitutions, and its faults."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import topology
from rehearsal import scenarios
from rehearsal.deployment import CHOICES
from rehearsal.faults import FAULTS, Broken, Fault, NotInTemplatesError
from rehearsal.site import Site
from rehearsal.substitutions import functions_of, substitute
from tests.infra.conftest import Synthesize, synthesize
from tests.infra.synthesized import Templates

__all__ = ["synthesize"]
SITE = Site(Path("/nowhere"), 1, 2, 3, 4)


@pytest.fixture(scope="module")
def templates(synthesize: Synthesize) -> Templates:
    return synthesize(dict(CHOICES))


def stacks(templates: Templates) -> list[dict[str, Any]]:
    return [copy.deepcopy(templates.data), copy.deepcopy(templates.compute)]


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each value that is no dictionary, by its path."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    else:
        yield path, value


def test_only_addresses_outside_of_this_machine_are_substituted(templates: Templates) -> None:
    before, after = templates.compute, copy.deepcopy(templates.compute)
    changed = substitute(after, SITE)
    assert changed == [
        "ASTRALOG_ALLOW_LOOPBACK_DESTINATIONS",
        "ASTRALOG_IDENTITY_KEYS_URL",
        "ASTRALOG_STRIPE_ADDRESS",
    ]
    old, new = dict(leaves(before)), dict(leaves(after))
    different = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
    assert different
    assert all("Variables" in path and set(path) & set(changed) for path in different)


def test_the_data_stack_is_deployed_as_it_is_but_for_an_output(templates: Templates) -> None:
    after = copy.deepcopy(templates.data)
    assert substitute(after, SITE) == ["the output StripeUrl"]
    assert after["Outputs"].pop("StripeUrl")["Value"] == SITE.stripe
    before = copy.deepcopy(templates.data)
    del before["Outputs"]["StripeUrl"]
    assert after == before


def test_all_functions_of_the_topology_are_found(templates: Templates) -> None:
    assert len(functions_of(templates.compute)) == len(topology.FUNCTIONS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_changes_one_template_and_leaves_no_dangling_reference(
    templates: Templates, fault: Fault
) -> None:
    broken, after = Broken(fault), stacks(templates)
    for template in after:
        broken.edit("", template)
    broken.check()
    assert sum(new != old for new, old in zip(after, stacks(templates), strict=True)) == 1
    for template in after:
        depends = [each.get("DependsOn", []) for each in template["Resources"].values()]
        named = {name for each in depends for name in ([each] if isinstance(each, str) else each)}
        assert named <= template["Resources"].keys()


def test_a_fault_that_changes_nothing_is_an_error() -> None:
    broken = Broken(Fault("none", "nothing", lambda _template: False))
    broken.edit("", {"Resources": {}})
    with pytest.raises(NotInTemplatesError):
        broken.check()


def test_faults_and_scenarios_have_names_of_their_own_and_faults_name_scenarios() -> None:
    names = [each.name for each in scenarios.SCENARIOS]
    assert len(set(names)) == len(names)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert {name for fault in FAULTS for name in fault.scenarios} <= set(names)
    assert names[0] == "first_log"
    assert names[-1] == "erasure", "hours pass in it"


def test_each_scenario_says_what_it_proves_and_raises_alarms_that_exist() -> None:
    metrics = {signal.metric for signal in topology.SIGNALS}
    for each in scenarios.SCENARIOS:
        assert each.proves.endswith(".")
        assert each.alarms <= metrics
