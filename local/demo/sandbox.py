"""A stack for the length of a block: its own folder, free ports, no output.

It runs as a child of the demo, `python -m local.demo.sandbox`, on the pipe described in local.child: when the
demo ends, in any way, so does the stack.
"""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local.child import configuration
from local.naming import PROJECT_ROOT, child_environment, python_module
from local.stack import Places
from local.supervisor import StackError
from local.up import up

START_SECONDS = 90
STOP_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Configuration:
    state: str


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running stack: `keys` by scope, of its first account; `logs` is the folder of its functions' logs."""

    api: str
    clickhouse: str
    keys: Mapping[str, str] = field(repr=False)
    logs: Path


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """Run a stack. Delete its folder at the end, unless the block raises: then a note names the folder.

    Raises
    ------
    StackError: it does not start.
    """
    state = Path(tempfile.mkdtemp(prefix="astralog-demo-"))
    places = Places(state)
    output = state / "up.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            python_module("local.demo.sandbox"),
            cwd=PROJECT_ROOT,
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            # Ctrl-C in the terminal is for the demo, which stops the stack cleanly.
            start_new_session=True,
        )
    keep = False
    try:
        _configure(process, state)
        yield _when_ready(process, places, output)
    except Exception as fault:
        keep = True
        fault.add_note(f"The stack's own logs are kept in {state}.")
        raise
    finally:
        _end(process)
        if not keep:
            shutil.rmtree(state, ignore_errors=True)


def _configure(process: "subprocess.Popen[bytes]", state: Path) -> None:
    assert process.stdin is not None  # noqa: S101 - asked for above
    process.stdin.write(json.dumps({"state": str(state)}).encode() + b"\n")
    process.stdin.flush()


def _when_ready(process: "subprocess.Popen[bytes]", places: Places, output: Path) -> Sandbox:
    deadline = time.monotonic() + START_SECONDS
    while not places.page.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise StackError(f"the stack did not start:\n{output.read_text()}")
        time.sleep(0.05)
    page = json.loads(places.page.read_text())
    return Sandbox(page["api"], page["clickhouse"], page["keys"], places.logs)


def _end(process: "subprocess.Popen[bytes]") -> None:
    with process:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


if __name__ == "__main__":
    up(Places(Path(configuration(Configuration).state)), 0, keep=False)
