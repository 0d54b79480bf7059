"""Every package is pinned to the bytes of its files, and what installs packages insists on it."""

import re
from pathlib import Path

import pytest

from infra import build

FOLDERS = sorted(build.ROOT.glob("functions/*/requirements.txt"))
OTHERS = (
    "requirements.txt",
    "audit/requirements.txt",
    "rehearsal/requirements.txt",
    "tests/clients/requirements.txt",
)
FILES = [*(build.ROOT / name for name in OTHERS), *FOLDERS]
MAKEFILE = (build.ROOT / "Makefile").read_text()

_PINNED = re.compile(r"[\w.\[\]-]+==[^\s;]+( ; [^\\]+)?( --hash=sha256:[0-9a-f]{64})+")


def requirements(file: Path) -> list[str]:
    """Its requirements, each with its hashes on a line; comments left out."""
    lines = [line.split("#")[0].strip() for line in file.read_text().splitlines()]
    return " ".join(
        re.sub(r"\\$", "", line).strip() + ("" if line.endswith("\\") else "\n") for line in lines if line
    ).split("\n")[:-1]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_every_requirement_is_one_version_with_hashes_and_nothing_else_is_in_the_file(file: Path) -> None:
    found = [each.strip() for each in requirements(file)]

    assert len(found) >= 3
    assert [each for each in found if not _PINNED.fullmatch(each)] == []


def test_each_function_of_the_project_has_a_file_of_requirements() -> None:
    assert {file.parent.name for file in FOLDERS} == set(build.FOLDERS)


def test_every_installation_of_packages_requires_hashes() -> None:
    recipes = MAKEFILE.replace("\\\n", " ").splitlines()
    installing = [line for line in recipes if re.search(r"pip install", line)]

    assert len(installing) == 5, (
        "uv by pip; by uv the project's, the audit's, the emulator's and the clients'"
    )
    assert [line for line in installing if "--require-hashes" not in line] == []


def test_pinning_anew_writes_hashes_and_no_address_of_an_index() -> None:
    (compiling,) = (line for line in MAKEFILE.splitlines() if line.startswith("COMPILE :="))
    written = [line for line in MAKEFILE.splitlines() if "-o " in line and "requirements.txt" in line]

    assert {"--generate-hashes", "--no-emit-index-url", "--no-header"} <= set(compiling.split())
    assert len(written) == 5, "one for each function's zip, and OTHERS"
    assert not re.search(r"pip compile", MAKEFILE.replace(compiling, ""))
