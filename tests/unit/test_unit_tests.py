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


def test_collecting_the_tests_loads_neither_cdk_nor_pandas(pytestconfig: pytest.Config) -> None:
    """Each worker collects all tests: a module imports these in the test or fixture that uses them."""
    assert pytestconfig.stash[LOADED_BY_COLLECTING] & {"aws_cdk", "pandas"} == set()


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
