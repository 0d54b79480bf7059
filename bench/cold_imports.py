"""Cold imports: the CPU time that each function's handler takes to import, in fresh processes.

    python -m bench.cold_imports [--against DIRECTORY] [--runs 7] [--with "STATEMENT"] [NAME …]

Prints a Markdown table, in milliseconds of user and system time of all threads, as medians. With `--against`
the same functions of another checkout are measured alternately. With `--with` each function is measured
alternately with and without the statement after it.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from infra.topology import FUNCTIONS

ROOT = Path(__file__).parents[1]

COMPARED = "| function | before | now | more |\n|---|---|---|---|"
ALONE = "| function | now |\n|---|---|"

_IN_CHILD = """
import resource, sys
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
began = cpu()
exec(sys.argv[1])
print((cpu() - began) * 1000)
"""


def cold_ms(statement: str, root: Path) -> float:
    """CPU milliseconds of `statement` in a fresh interpreter that finds `functions` in `root`."""
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", _IN_CHILD, statement]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def medians(statements: list[tuple[str, Path]], runs: int) -> list[float]:
    """The median of each statement, run alternately; one run before them compiles the modules."""
    times: list[list[float]] = [[] for _ in statements]
    for run in range(runs + 1):
        for (statement, root), found in zip(statements, times, strict=True):
            took_ms = cold_ms(statement, root)
            if run:
                found.append(took_ms)
    return [median(each) for each in times]


def main(arguments: list[str]) -> None:
    """Print the table that `arguments` ask for."""
    asked = _parser().parse_args(arguments)
    print(COMPARED if asked.against or asked.after else ALONE)
    for each in FUNCTIONS:
        if asked.names and each.name not in asked.names:
            continue
        found = medians(_statements(f"import {each.handler.rpartition('.')[0]}", asked), asked.runs)
        more = [found[1] - found[0]] if len(found) == 2 else []
        print("|", " | ".join([each.name, *(f"{ms:.0f}" for ms in (*found, *more))]), "|", flush=True)


def _statements(imported: str, asked: argparse.Namespace) -> list[tuple[str, Path]]:
    if asked.against:
        return [(imported, asked.against), (imported, ROOT)]
    if asked.after:
        return [(imported, ROOT), (f"{imported}\n{asked.after}", ROOT)]
    return [(imported, ROOT)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.cold_imports", description=__doc__)
    parser.add_argument("--against", type=Path, help="another checkout, measured alternately")
    parser.add_argument("--with", dest="after", help="a statement that runs after the import")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("names", nargs="*", help="functions; all if none is named")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
