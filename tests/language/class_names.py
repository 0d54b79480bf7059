"""Class names of `functions/` that occur more than once: a name says what it is without its module."""

import ast
from collections import defaultdict
from pathlib import Path

FUNCTIONS = Path(__file__).parents[2] / "functions"
IN_EACH_HANDLER = frozenset({"Settings"})


def repeated_class_names(root: Path = FUNCTIONS) -> dict[str, list[str]]:
    """The paths of the modules below `root` that define a class of the same name, by that name."""
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name not in IN_EACH_HANDLER:
                paths[node.name].append(str(path.relative_to(root)))
    return {name: found for name, found in paths.items() if len(found) > 1}
