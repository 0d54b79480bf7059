"""The unit tests need neither a running stack nor a browser: `make unit` is the quick answer."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import LOADED_BY_COLLECTING

ROOT = Path(__file__).parents[2]
MODULES = sorted(Path(__file__).parent.rglob("*.py"))
PACKAGES = ("bench", "fake_stripe", "local", "tests")
"""Packages that are read through; what `functions` imports is held by the layers of import-linter."""

NOT_FOR_UNITS = frozenset(
    {"playwright", "chdb", "local.engine", "tests.browser", "tests.crash.world", "tests.integration.stack"}
)
"""A browser, an embedded ClickHouse, a stack of processes: each takes seconds before the first test."""


def test_collecting_the_tests_loads_no_cdk_engine_or_pandas(pytestconfig: pytest.Config) -> None:
    """Each worker collects all tests: a module imports these in the test or fixture that uses them."""
    assert pytestconfig.stash[LOADED_BY_COLLECTING] & {"aws_cdk", "chdb", "pandas"} == set()


def test_a_unit_test_reaches_neither_stack_nor_browser_nor_engine() -> None:
    needed = {str(module.relative_to(ROOT)): sorted(_needed(module)) for module in MODULES}

    assert len(needed) > 100
    assert {module: names for module, names in needed.items() if names} == {}


@pytest.mark.parametrize("folder", ["browser", "crash"])
def test_what_needs_them_is_recognized(folder: str) -> None:
    assert any(_needed(module) for module in (ROOT / "tests" / folder).glob("test_*.py"))


def _needed(module: Path) -> set[str]:
    """What `module` imports, directly or not, that is NOT_FOR_UNITS."""
    reached = {name for file in _reached(module) for name in _imports(file)}
    return {name for name in reached if NOT_FOR_UNITS & set(_with_parents(name))}


def _reached(module: Path) -> set[Path]:
    """`module` and the files below PACKAGES that it imports, directly or not."""
    reached: set[Path] = set()
    waiting = [module]
    while waiting:
        file = waiting.pop()
        if file not in reached:
            reached.add(file)
            waiting += [found for name in _imports(file) if (found := _file(name))]
    return reached


@cache
def _imports(file: Path) -> frozenset[str]:
    """The modules, and the names in modules, that a file imports at any place."""
    return frozenset(_names(ast.parse(file.read_text())))


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{each.name}" for each in names)


@cache
def _file(name: str) -> Path | None:
    """Where a module below PACKAGES is; None for any other name."""
    if name.partition(".")[0] not in PACKAGES:
        return None
    path = ROOT.joinpath(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def test_what_measures_a_process_is_marked_and_left_to_make_test() -> None:
    """`make unit` leaves it out: to make a hostile body and to read it in a process takes a second."""
    unmarked = {
        f"{module.relative_to(ROOT)}::{name}"
        for module in MODULES
        if "cost_of" in (text := module.read_text())
        for name, marks in _measuring(ast.parse(text)).items()
        if not marks & {"measured", "soak"}
    }
    assert unmarked == set(), "mark it with @pytest.mark.measured"


def test_a_test_that_measures_through_a_function_of_its_module_is_recognized() -> None:
    read = "def read():\n    cost_of()\n"
    other = "def test_no():\n    pass\n"
    marks = "@pytest.mark.measured\n@pytest.mark.parametrize('a', [pytest.mark.soak])\n"
    marked = f"{marks}def test_it(a):\n    read()\n"
    assert _measuring(ast.parse(read + other + marked)) == {"test_it": {"measured", "parametrize"}}


def _measuring(tree: ast.Module) -> dict[str, set[str]]:
    """The tests of a module that call `cost_of`, themselves or through its functions -> their marks."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    names = {"cost_of"}
    for _ in functions:
        names |= {each.name for each in functions if names & _used(each)}
    return {
        each.name: _marks(each) for each in functions if each.name in names and each.name.startswith("test_")
    }


def _used(function: ast.FunctionDef) -> set[str]:
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}


def _marks(function: ast.FunctionDef) -> set[str]:
    """The names of its decorators: `measured` of `@pytest.mark.measured`."""
    made = (each.func if isinstance(each, ast.Call) else each for each in function.decorator_list)
    return {each.attr for each in made if isinstance(each, ast.Attribute)}
