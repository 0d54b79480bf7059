"""Compiled modules: the same bytes for the same sources, valid without them, with Lambda's paths."""

import importlib.util
import marshal
import subprocess
import sys
from pathlib import Path

import pytest

from infra import bytecode

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"

SOURCE = "NUMBERS = {'a', 'b', 'c', 'd'}\n\n\ndef fail():\n    raise ValueError('here')\n"

UNCHECKED = 0b01
"""The flags in a header of bytecode that has a hash of its source which is never compared."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return _tree(tmp_path / "one")


def _tree(folder: Path) -> Path:
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "__init__.py").touch()
    (folder / "package" / "module.py").write_text(SOURCE)
    return folder


def _compiled(tree: Path) -> dict[str, bytes]:
    return {each.relative_to(tree).as_posix(): each.read_bytes() for each in tree.rglob("*.pyc")}


def test_the_same_sources_in_another_folder_have_the_same_bytecode(tree: Path, tmp_path: Path) -> None:
    other = _tree(tmp_path / "two")
    for each in (tree, other):
        bytecode.compile_tree(each, sys.executable)

    assert len(_compiled(tree)) == 2
    assert _compiled(tree) == _compiled(other)


def test_bytecode_does_not_depend_on_a_date_and_names_lambdas_folder(tree: Path) -> None:
    bytecode.compile_tree(tree, sys.executable)

    for content in _compiled(tree).values():
        assert content[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(content[4:8], "little") == UNCHECKED
        assert marshal.loads(content[16:]).co_filename.startswith("/var/task/package/")  # noqa: S302


def test_python_imports_the_bytecode_and_does_not_compile_the_source(tree: Path) -> None:
    """The source is made invalid after it was compiled, as no zip's is."""
    bytecode.compile_tree(tree, sys.executable)
    (tree / "package" / "module.py").write_text("def")
    script = "from package.module import NUMBERS; print(sorted(NUMBERS))"
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tree, env={}, capture_output=True, text=True, check=True
    )

    assert ran.stdout == "['a', 'b', 'c', 'd']\n"


def test_a_module_that_is_no_python_stops_the_build(tree: Path) -> None:
    (tree / "package" / "module.py").write_text("def")

    with pytest.raises(bytecode.CompilationError, match="module"):
        bytecode.compile_tree(tree, sys.executable)


def test_modules_are_compiled_by_a_python_of_their_own_version() -> None:
    assert bytecode.interpreter(HERE) == sys.executable
    assert bytecode.version(sys.executable).startswith(f"{HERE}.")
    assert bytecode.interpreter("3.1") is None
