"""The topology's own order: a function stands in the module that is called like the folder of its code."""

import importlib
from dataclasses import replace
from pathlib import Path

import pytest

from infra.topology import FUNCTIONS
from infra.topology.shape import Function

ROUTES = "routes"
"""The one setting that is added when all functions are known."""

FOLDERS = sorted(path.parent.name for path in Path("functions").glob("*/requirements.txt"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_functions_of_a_folder_stand_in_the_module_of_its_name(folder: str) -> None:
    described = importlib.import_module(f"infra.topology.functions.{folder}").FUNCTIONS

    assert described == tuple(_without_routes(spec) for spec in FUNCTIONS if spec.folder == folder)
    assert described


def _without_routes(spec: Function) -> Function:
    return replace(spec, settings={name: value for name, value in spec.settings.items() if name != ROUTES})


def test_no_function_is_of_a_folder_that_is_not_there() -> None:
    assert {spec.folder for spec in FUNCTIONS} == set(FOLDERS)
