"""The package as it is published: the standard library alone, Python 3.9, its version and its licence."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import astralog

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "clients" / "python"
MODULES = sorted((FOLDER / "src" / "astralog").glob("*.py"))
PROJECT = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_needs_the_standard_library_and_python_3_9(module: Path) -> None:
    tree = ast.parse(module.read_text(), feature_version=(3, 9))
    names = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert names <= sys.stdlib_module_names | {"astralog"}
    assert "from __future__ import annotations" in module.read_text() or module.name in (
        "__init__.py",
        "_version.py",
    )


def test_the_package_has_what_its_settings_say() -> None:
    assert PROJECT["version"] == astralog.__version__
    assert PROJECT["dependencies"] == []
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_every_parameter_and_count_is_in_the_readme() -> None:
    text = (FOLDER / "README.md").read_text()
    for name in astralog.Statistics._fields:
        assert f"`{name}`" in text
    documented = set(re.findall(r"^    ([a-z_, ]+):", str(astralog.Handler.__doc__), re.MULTILINE))
    parameters = {each for names in documented for each in names.split(", ")}
    code = astralog.Handler.__init__.__code__
    taken = set(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
    assert parameters == taken


def test_importing_the_package_does_nothing_but_define() -> None:
    program = (
        "import atexit, logging, threading, astralog\n"
        "assert threading.active_count() == 1\n"
        "assert not logging.getLogger('astralog').handlers\n"
    )
    command = [sys.executable, "-c", program]
    subprocess.run(command, env={"PYTHONPATH": str(FOLDER / "src")}, check=True, timeout=60)


def test_a_wheel_has_the_modules_and_the_marker_of_types(tmp_path: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    command = [str(uv), "build", "--offline", "--quiet", "--wheel", "--out-dir", str(tmp_path), str(FOLDER)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    (wheel,) = tmp_path.glob("astralog-*-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    packed = {name.partition("/")[2] for name in names if name.startswith("astralog/")} - {""}
    assert packed == {module.name for module in MODULES} | {"py.typed"}
