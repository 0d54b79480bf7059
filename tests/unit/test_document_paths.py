"""Each path of code that a page of documentation names exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = (
    "audit",
    "bench",
    "clients",
    "fake_stripe",
    "functions",
    "infra",
    "local",
    "openapi",
    "operate",
    "rehearsal",
    "tests",
)
PAGES = [*Path("docs").rglob("*.md"), Path("README.md"), Path("CONTRIBUTING.md"), Path("SECURITY.md")]
FILES = {
    f"/{path.as_posix()}"
    for package in PACKAGES
    for path in Path(package).rglob("*")
    if "__pycache__" not in path.parts
}
PLACEHOLDERS = re.compile(r"[*<]")


def expanded(path: str) -> Iterator[str]:
    """`a/{b,c}.py` as `a/b.py` and `a/c.py`."""
    group = re.search(r"\{([^{}]*)\}", path)
    if group is None:
        yield path
        return
    for each in group[1].split(","):
        yield from expanded(path[: group.start()] + each + path[group.end() :])


def paths_of(text: str) -> Iterator[str]:
    """Modules, as `sync/plan.py` or `plan.py`, and whatever begins with one of PACKAGES."""
    for quoted in re.findall(r"`([^`\s]+)`", text):
        path = quoted.split("::")[0].rstrip("/")
        if path.endswith(".py") or path.startswith(tuple(f"{each}/" for each in PACKAGES)):
            yield from expanded(path)


def missing(text: str) -> list[str]:
    return [
        path
        for path in paths_of(text)
        if not PLACEHOLDERS.search(path) and not any(each.endswith(f"/{path}") for each in FILES)
    ]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_page_names_only_paths_that_exist(page: Path) -> None:
    assert missing(page.read_text()) == []


def test_a_path_that_does_not_exist_is_found() -> None:
    text = "`sync/plan.py`, `sync/{plan,absent}.py`, `tests/absent`, `functions/sync/`, `absent.py::test_it`"
    assert missing(text) == ["sync/absent.py", "tests/absent", "absent.py"]


def test_the_architecture_names_its_modules() -> None:
    assert len(list(paths_of(Path("docs/architecture.md").read_text()))) > 20
