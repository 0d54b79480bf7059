"""What a function reads from its environment is what the topology gives it."""

import importlib
from inspect import Parameter, signature

import pytest

from infra.topology import FUNCTIONS, Function

NOT_TOUCHED = {
    ("sign-in", "keys_table"),
    ("reconcile", "accounts_table"),
    ("eraser-byoc", "accounts_table"),
    ("page", "drop_bucket"),
}
"""What a part is made with of which this function asks nothing; the page's policy names a bucket."""

LATER = {"ingest": ["functions.ingest.byoc_targets"]}
"""Modules with settings of their own that a function imports later."""

STORES = ("table", "bucket", "queue", "secret", "key")


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_the_topology_gives_what_the_function_asks_for_and_no_more(spec: Function) -> None:
    modules = [spec.handler.rpartition(".")[0], *LATER.get(spec.name, ())]
    kinds = [importlib.import_module(module).Settings for module in modules]
    fields = [field for kind in kinds for field in signature(kind).parameters.values()]
    required = {field.name for field in fields if field.default is Parameter.empty}

    assert required <= spec.settings.keys() <= {field.name for field in fields}


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_a_function_may_use_each_resource_in_its_settings(spec: Function) -> None:
    """However; that the verb is the right one, the tests of each function's own have to say."""
    granted = {grant.partition(":")[2] for grant in spec.grants}
    resources = {name: store for name, store in spec.settings.items() if store.partition(":")[0] in STORES}

    assert {(spec.name, name) for name, store in resources.items() if store not in granted} <= NOT_TOUCHED


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_settings_fit_into_the_environment_of_a_function(spec: Function) -> None:
    """Lambda accepts 4 KiB of names and values; our longest name or ARN is below 100 characters."""
    sizes = [
        len(f"ASTRALOG_{name}") + (100 if value.partition(":")[0] in STORES else len(value))
        for name, value in spec.settings.items()
    ]

    assert sum(sizes) <= 4096
