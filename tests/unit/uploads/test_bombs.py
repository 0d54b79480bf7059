"""Hostile files: each is read in a process of its own, within the function's memory and seconds of CPU.

Short forms of a few bombs of each form; all of them, and larger ones, are `make soak`. Each prints its row of
the table in docs/security.md.
"""

from pathlib import Path

import pytest

from infra.topology.functions.uploads import FUNCTIONS
from tests.measured import cost_of
from tests.unit.uploads import bombs
from tests.unit.uploads.parquet_bombs import PARQUET

(MEMORY_MB,) = {each.memory_mb for each in FUNCTIONS if each.name in ("dropin", "dropin-byoc")}
MARGIN_MB = 400
"""What is to be left of the function's memory."""

CPU_SECONDS = 5

FORMS = {
    "gzip": bombs.GZIP,
    "zstd": bombs.ZSTD,
    "bzip2": bombs.BZIP2,
    "parquet": PARQUET,
    "csv": bombs.CSV,
    "json": bombs.JSON,
    "ndjson": bombs.NDJSON,
    "lines": bombs.LINES,
    "aws": bombs.AWS,
}

SHORT = {
    ("gzip", "empty members"): "partly no_progress",
    ("gzip", "200 MB of newlines"): "failed no_progress",
    ("zstd", "skippable frames"): "partly no_progress",
    ("zstd", "400 MB of newlines"): "failed no_progress",
    ("bzip2", "empty streams"): "partly no_progress",
    ("bzip2", "streams of one byte"): "partly no_progress",
    ("parquet", "1 MB string, 30 rows"): "done",
    ("parquet", "3 MB string, 100,000 rows"): "failed no_progress",
    ("parquet", "60 columns of 1 MB"): "failed no_progress",
    ("parquet", "prefixes of 1 MB"): "failed too_much_memory",
    ("parquet", "a list of 500,000,000"): "failed too_much_memory",
    ("parquet", "page that claims 2 GB"): "failed too_much_memory",
    ("parquet", "empty pages of 1 MB"): "failed no_progress",
    ("parquet", "schema 5,000 deep"): "failed corrupt",
    ("csv", "a quote, 150 MB"): "partly no_progress",
    ("csv", "long names, many rows"): "done",
    ("json", "white space"): "partly no_progress",
    ("ndjson", "a value of 150 MB"): "partly no_progress",
    ("lines", "a request without end"): "done",
    ("lines", "blank lines"): "partly no_progress",
    ("aws", "CloudFront, directives"): "failed no_progress",
}
"""Bombs that run each time, with what becomes of the file."""


LARGE = {
    "gzip": lambda: bombs.zeros(2048 * bombs.MB, b"\n" * bombs.MB),
    "zstd": lambda: bombs.zstd_zeros(2048 * bombs.MB, b"\n" * bombs.MB),
    "bzip2": lambda: bombs.bzip2_zeros(2048 * bombs.MB, b"\n" * bombs.MB),
}


def measured(tmp_path: Path, form: str, name: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Read the bomb, check what it cost, and return the state of the file and the code of its error."""
    file = tmp_path / "bomb"
    file.write_bytes((FORMS[form].get(name) or LARGE[form])())
    argument = {"path": str(file)}
    cost = cost_of(
        "tests.unit.uploads.bombs:read",
        argument,
        memory_mb=MEMORY_MB,
        timeout_seconds=120,
        within_cpu_seconds=CPU_SECONDS,
    )
    outcome = " ".join(filter(None, (cost.result["state"], cost.result["code"])))
    with capsys.disabled():
        print(f"\n| {form} | {name} | {file.stat().st_size:,} | {cost} | {outcome} |", end="")
    assert cost.peak_mb < MEMORY_MB - MARGIN_MB
    assert cost.cpu_seconds < CPU_SECONDS
    return outcome


@pytest.mark.measured
@pytest.mark.parametrize(("form", "name"), SHORT)
def test_a_bomb_is_read_within_the_functions_memory_and_seconds_of_cpu(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, name: str
) -> None:
    assert measured(tmp_path, form, name, capsys) == SHORT[form, name]


@pytest.mark.soak
@pytest.mark.parametrize(
    ("form", "name"),
    [(form, name) for form, made in FORMS.items() for name in made if (form, name) not in SHORT],
)
def test_every_other_bomb_is_read_so_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, name: str
) -> None:
    assert measured(tmp_path, form, name, capsys)


@pytest.mark.soak
@pytest.mark.parametrize("form", LARGE)
def test_a_bomb_of_gigabytes_costs_no_more_than_one_of_megabytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    assert measured(tmp_path, form, "2 GB of newlines", capsys) == "failed no_progress"
