"""Programs that use a real client as its documentation shows, each in a process of its own.

A program is a file of tests/clients/python or tests/clients/node. It reads its settings from the environment
and prints one line of JSON at the end. The clients are not in the environment of the tests: `make clients`
installs them.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TIMEOUT_SECONDS = 120


def run_python(program: str, **settings: str) -> Any:
    """What tests/clients/python/<program>.py printed, run with `settings` in its environment."""
    return _run([str(ROOT / ".venv-clients/bin/python"), str(HERE / "python" / f"{program}.py")], settings)


def run_python_text(text: str, **settings: str) -> None:
    """Run a Python program that stands in a page of the documentation."""
    _run([str(ROOT / ".venv-clients/bin/python"), "-c", f"{text}\nprint('{{}}')"], settings)


def run_node(program: str, **settings: str) -> Any:
    """What tests/clients/node/<program>.mjs printed, run with `settings` in its environment."""
    return _run(["node", str(HERE / "node" / f"{program}.mjs")], settings)


def blocks_of(page: str, language: str) -> list[str]:
    """The blocks in `language` of a page of docs/clients, as they stand there."""
    text = (ROOT / "docs" / "clients" / f"{page}.md").read_text()
    return [each.split("```", 1)[0] for each in text.split(f"```{language}\n")[1:]]


def run_page(page: str, language: str, directory: Path, **settings: str) -> None:
    """Run the first program in `language`, python or js, of a page."""
    run_block(blocks_of(page, language)[0], language, directory, **settings)


def run_block(text: str, language: str, directory: Path, **settings: str) -> bytes:
    """Run a block in python, js or sh in `directory`; its standard output."""
    program = directory / ("page." + {"python": "py", "js": "cjs", "sh": "sh"}[language])
    program.write_text(text)
    runner = {
        "python": [str(ROOT / ".venv-clients/bin/python")],
        "js": ["node"],
        "sh": ["bash", "-euo", "pipefail"],
    }
    where = {"NODE_PATH": str(HERE / "node_modules"), "PYTHONPATH": str(ROOT / "clients" / "python" / "src")}
    return _ended([*runner[language], str(program)], {**settings, **where}, directory)


def _run(command: list[str], settings: dict[str, str]) -> Any:
    return json.loads(_ended(command, settings).splitlines()[-1])


def _ended(command: list[str], settings: dict[str, str], directory: Path | None = None) -> bytes:
    """The standard output of a command that ended well, in `directory`."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **settings}
    ended = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, timeout=TIMEOUT_SECONDS, check=False
    )
    assert ended.returncode == 0, ended.stderr.decode()[-4000:]
    return ended.stdout
