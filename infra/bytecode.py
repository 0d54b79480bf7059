"""Compile the modules of a zip, since Lambda cannot: its file system is read-only, so Python would compile
every module again in each new execution environment (docs/adr/0056).
"""

import subprocess
import sys
from functools import cache
from pathlib import Path

DEPLOYED_AT = "/var/task"
"""Where Lambda unpacks a zip: the paths in tracebacks."""

_VERSION = "import platform; print(platform.python_version())"


class CompilationError(RuntimeError):
    """A module cannot be compiled; the message is the compiler's."""


@cache
def interpreter(python: str) -> str | None:
    """A Python on this machine whose bytecode Python `python`, such as `3.13`, runs; None if there is none.

    Nothing is downloaded.
    """
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    command = [sys.executable, "-m", "uv", "python", "find", "--no-python-downloads", "--system", python]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else None


@cache
def version(compiler: str) -> str:
    """The version of the Python at `compiler`, such as `3.13.2`."""
    asked = subprocess.run([compiler, "-I", "-c", _VERSION], capture_output=True, text=True, check=True)
    return asked.stdout.strip()


def compile_tree(tree: Path, compiler: str) -> None:
    """Write each module of `tree` as bytecode beside it, in `__pycache__`; the same sources, the same bytes.

    The bytecode does not refer to a date or a size of its source, which Python therefore does not read.

    Raises
    ------
    CompilationError
    """
    command = [
        compiler, "-m", "compileall", "-q",
        "--invalidation-mode", "unchecked-hash",
        "-s", str(tree), "-p", DEPLOYED_AT,
        str(tree),
    ]  # fmt: skip
    done = subprocess.run(
        command, env={"PYTHONHASHSEED": "0"}, cwd=tree, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CompilationError(f"{tree.name}: {done.stdout.strip() or done.stderr.strip()}")
