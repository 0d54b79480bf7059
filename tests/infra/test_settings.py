"""What a function reads from its environment is what the topology gives it."""

import importlib
from dataclasses import MISSING, fields

import pytest

from infra.topology import FUNCTIONS, Function


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_the_topology_gives_what_the_function_asks_for_and_no_more(spec: Function) -> None:
    asked = fields(importlib.import_module(spec.handler.rpartition(".")[0]).Settings)
    required = {field.name for field in asked if field.default is MISSING}

    assert required <= spec.settings.keys() <= {field.name for field in asked}
