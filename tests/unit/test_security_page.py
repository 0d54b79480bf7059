"""docs/security.md: what it names exists, and each bound has a test that `make test` runs."""

import ast
import re
from pathlib import Path

import pytest

PAGE = Path("docs/security.md").read_text(encoding="utf-8")
BOUNDS = PAGE.partition("## Bounds on what one tenant can do")[2]
TESTS = sorted(set(re.findall(r"`(tests/[\w/.]+::\w+)`", PAGE)))
SECTIONS = re.findall(r"^### (.+)\n((?:(?!^### |^## ).*\n)+)", BOUNDS, re.MULTILINE)


@pytest.mark.parametrize("test", TESTS)
def test_each_named_test_is_there(test: str) -> None:
    path, name = test.split("::")
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


@pytest.mark.parametrize(("title", "text"), SECTIONS, ids=[title for title, _ in SECTIONS])
def test_each_attack_has_tests(title: str, text: str) -> None:
    assert re.search(r"`tests/[\w/.]+::test_\w+`", text), title


def test_the_page_names_every_decision_that_bounds_a_tenant() -> None:
    named = {int(each) for each in re.findall(r"\[ADR (\d+)\]", PAGE)}
    assert named == {18, 19, 21, *range(23, 28), 31, 36, 37, 45, 49, 51, 59, 62, 63}
    assert named <= {int(path.name[:4]) for path in Path("docs/adr").glob("*.md")}
