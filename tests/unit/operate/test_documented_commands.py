"""Documented commands are commands of `python -m operate`, and the deployment page is in order."""

import re
import subprocess
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest

from operate.command_line import COMMANDS, parser

PAGES = sorted(Path("docs").rglob("*.md"))
DEPLOYMENT = Path("docs/deployment.md").read_text()
STEPS = DEPLOYMENT[: DEPLOYMENT.index("\n## Operator's commands")]
BLOCKS = re.findall(r"```sh\n(.*?)```", STEPS, re.DOTALL)
SHOWN = re.compile(r"(?:python -m (?:local )?operate|\$OPERATE) +([a-z][a-z-]+)((?: +[^`|)\n]*)?)")
SET_BY_A_SHELL = {"PATH", "HOME", "1", "2"}


def shown_commands() -> list[tuple[str, str, str]]:
    """Page, command and arguments."""
    return [(page.name, *found) for page in PAGES for found in SHOWN.findall(page.read_text())]


def options_of(name: str) -> set[str]:
    commands: Any = next(each for each in parser()._actions if each.dest == "command")
    own: ArgumentParser = commands.choices[name]
    return {option for action in own._actions for option in action.option_strings}


@pytest.mark.parametrize(("page", "name", "arguments"), shown_commands())
def test_a_documented_command_exists_with_its_options(page: str, name: str, arguments: str) -> None:
    assert name in {each.name for each in COMMANDS}, page
    assert set(re.findall(r"--[a-z-]+", arguments)) <= options_of(name), page


def test_every_command_is_documented_but_the_one_that_make_asks() -> None:
    assert {each.name for each in COMMANDS} - {name for _, name, _ in shown_commands()} <= {
        "is-deployed", "destroy", "lift-suppression", "settle-report", "show-billing",
    }  # fmt: skip
    text = " ".join(page.read_text() for page in PAGES)
    for each in ("make destroy", "`lift-suppression", "`settle-report", "show-billing"):
        assert each in text


def test_the_old_forms_are_gone() -> None:
    for page in (*PAGES, Path("README.md"), Path("CONTRIBUTING.md"), Path("Makefile")):
        assert not re.search(r"python -m functions\.", page.read_text()), page
    assert not list(Path("functions").rglob("__main__.py"))


@pytest.mark.parametrize("block", [*BLOCKS, *re.findall(r"```sh\n(.*?)```", DEPLOYMENT, re.DOTALL)])
def test_a_block_is_valid_shell(block: str) -> None:
    checked = subprocess.run(["bash", "-nc", block], capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")


def test_every_variable_of_the_steps_is_set_before_it_is_used() -> None:
    known = set(SET_BY_A_SHELL)
    for block in BLOCKS:
        known |= set(re.findall(r"(?:^|[\s;])([A-Z_]+)=", block))
        used = set(re.findall(r"\$\{?(\w+)", re.sub(r"'[^']*'", "", block)))
        assert used <= known


def test_the_tools_are_installed_before_they_are_used() -> None:
    order = [
        "make setup",
        "npm ci",
        "put-secret warehouse",
        "make bootstrap",
        "make deploy",
        "sync-catalogue",
    ]
    commands = "\n".join(BLOCKS)

    assert [commands.index(each) for each in order] == sorted(commands.index(each) for each in order)


def test_the_version_of_node_is_stated_once_in_the_pages() -> None:
    stated = [page for page in PAGES if re.search(r"Node \d\d", page.read_text())]
    versions = {
        match
        for name in ("CONTRIBUTING.md", "README.md", "Makefile")
        for match in re.findall(r"Node (\d\d)\+", Path(name).read_text())
    }
    assert (stated, versions) == ([], {"20"})
