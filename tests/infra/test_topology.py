"""The topology's own order: a function stands in the module that is called like the folder of its code."""

import importlib
from pathlib import Path

import pytest

from infra.topology import FUNCTIONS

FOLDERS = sorted(path.parent.name for path in Path("functions").glob("*/requirements.txt"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_functions_of_a_folder_stand_in_the_module_of_its_name(folder: str) -> None:
    described = importlib.import_module(f"infra.topology.functions.{folder}").FUNCTIONS

    assert [each.name for each in described] == [spec.name for spec in FUNCTIONS if spec.folder == folder]
    assert all(each.folder == folder for each in described)
    assert described


def test_no_function_is_of_a_folder_that_is_not_there() -> None:
    assert {spec.folder for spec in FUNCTIONS} == set(FOLDERS)
