"""Time zones come from the zip: Lambda's image of Amazon Linux does not promise to have a tz database."""

import json
import os
import subprocess
import sys
from pathlib import Path

from infra import build
from infra.topology import FUNCTIONS
from tests.packaging.imports import reached

OURS = ("functions", "tzdata")
"""Parts of a zip that run on every machine; compiled packages are for Lambda's."""

ASK = """
import json, sys, zoneinfo
from functions.query.requests.request import SearchBody, time_range
from functions.shared.errors import HttpError
assert zoneinfo.TZPATH == ()
for zone in ("Europe/Berlin", "Pacific/Kiritimati", "UTC", "Europe/Atlantis"):
    try:
        print(*time_range(SearchBody("now-1d/d", "2026-03-30", time_zone=zone), 1774800000 * 10**9))
    except HttpError as rejected:
        print(rejected.code)
print(json.dumps([sys.modules[name].__file__ for name in ("tzdata", "functions")]))
"""

EXPECTED = """\
1774652400000000000 1774821600000000000
1774692000000000000 1774778400000000000
1774656000000000000 1774828800000000000
invalid_time_zone
"""
"""In Berlin the two days before 2026-03-30 have 47 hours."""


def test_every_zip_whose_functions_use_time_zones_has_the_tz_database(trees: dict[str, Path]) -> None:
    using = {
        spec.folder
        for spec in FUNCTIONS
        if "zoneinfo" in {name.partition(".")[0] for name in reached(build.ROOT, _module(spec.handler))[1]}
    }

    assert using == {"query"}
    assert all((trees[each] / "tzdata" / "zoneinfo" / "Europe" / "Berlin").exists() for each in using)


def test_the_packed_search_knows_time_zones_on_a_machine_that_has_no_tz_database(
    trees: dict[str, Path], tmp_path: Path
) -> None:
    for name in OURS:
        (tmp_path / name).symlink_to(trees["query"] / name)
    # -B: what it compiles would be in the zip of a later test.
    ran = subprocess.run(
        [sys.executable, "-P", "-B", "-c", ASK],
        env={**os.environ, "PYTHONTZPATH": "", "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    times, _, files = ran.stdout.rstrip().rpartition("\n")
    assert f"{times}\n" == EXPECTED
    assert all(file.startswith(str(tmp_path)) for file in json.loads(files))


def _module(handler: str) -> str:
    return handler.rpartition(".")[0]
