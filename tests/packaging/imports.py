"""Which modules a handler reaches, read from source: nothing is imported to find out."""

import ast
from collections.abc import Iterator
from pathlib import Path


def reached(root: Path, module: str) -> tuple[set[str], set[str]]:
    """Our own modules below `root` that `module` reaches, and the foreign modules those import."""
    ours: set[str] = set()
    foreign: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in ours:
            continue
        ours.add(name)
        for imported in _imports(_source(root, name)):
            if not imported.startswith("functions"):
                foreign.add(imported)
            elif _is_module(root, imported):
                waiting.append(imported)
            else:
                waiting.append(imported.rpartition(".")[0])
    return ours, foreign


def resolves(tree: Path, module: str) -> bool:
    """Whether `tree` has `module`, or the module that has it as an attribute.

    A package with a compiled module at its top may make others there, which no file shows.
    """
    parts = module.split(".")
    if any(tree.joinpath(parts[0]).glob("*.so")):
        return True
    return any(_is_there(tree.joinpath(*parts[:depth])) for depth in (len(parts), len(parts) - 1) if depth)


def _imports(source: Path) -> Iterator[str]:
    """Full names; `from a import b` counts as a.b, which may be a module or an attribute."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: imports here are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_module(root: Path, name: str) -> bool:
    path = root.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def _source(root: Path, name: str) -> Path:
    path = root.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _is_there(path: Path) -> bool:
    return (
        (path / "__init__.py").exists()
        or path.with_suffix(".py").exists()
        or any(path.parent.glob(f"{path.name}.*.so"))
    )
