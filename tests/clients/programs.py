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


def run_page(page: str, language: str, directory: Path, **settings: str) -> None:
    """Run the first program in `language`, python or js, of a page of docs/clients, as it stands there."""
    text = (ROOT / "docs" / "clients" / f"{page}.md").read_text()
    program = directory / ("page.py" if language == "python" else "page.cjs")
    program.write_text(text.split(f"```{language}\n", 1)[1].split("```", 1)[0])
    runner = str(ROOT / ".venv-clients/bin/python") if language == "python" else "node"
    _ended([runner, str(program)], {**settings, "NODE_PATH": str(HERE / "node_modules")})


def _run(command: list[str], settings: dict[str, str]) -> Any:
    return json.loads(_ended(command, settings).splitlines()[-1])


def _ended(command: list[str], settings: dict[str, str]) -> bytes:
    """The standard output of a command that ended well."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **settings}
    ended = subprocess.run(
        command, env=environment, capture_output=True, timeout=TIMEOUT_SECONDS, check=False
    )
    assert ended.returncode == 0, ended.stderr.decode()[-4000:]
    return ended.stdout
