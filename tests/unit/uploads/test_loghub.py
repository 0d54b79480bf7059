"""The files of loghub, two thousand lines of five real programs, in every form: each row, each time.

They are not ours to bring along: LOGHUB says where they are, or they lie in a folder beside the project.
Where they do not, as many lines in the same layouts are made. https://github.com/logpai/loghub, Zhu et al.
"""

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.naming import PROJECT_ROOT
from tests.unit.uploads.samples import COMPRESSIONS, FORMS, LAYOUTS, Lines
from tests.unit.uploads.world import World

LOGHUB = Path(os.environ.get("LOGHUB", PROJECT_ROOT.parent / "shared" / "data" / "loghub"))


def _text(moment: datetime, digits: int) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{f'{moment.microsecond:06d}'[:digits]:0<9}Z"


def _apache(line: str) -> str:
    return _text(datetime.strptime(line[1:25], "%a %b %d %H:%M:%S %Y"), 0)


def _hadoop(line: str) -> str:
    return _text(datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f"), 3)


def _openstack(line: str) -> str:
    return _text(datetime.strptime(" ".join(line.split()[1:3]), "%Y-%m-%d %H:%M:%S.%f"), 3)


def _syslog(line: str) -> str:
    latest = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    moments = (
        datetime.strptime(f"{year} {re.sub(' +', ' ', line)[:15].strip()}", "%Y %b %d %H:%M:%S")
        for year in (latest.year, latest.year - 1)
    )
    return _text(next(each for each in moments if each <= latest), 0)


TIMES: dict[str, Callable[[str], str]] = {
    "apache": _apache, "hadoop": _hadoop, "linux": _syslog, "openssh": _syslog, "openstack": _openstack,
}  # fmt: skip


def corpus(layout: str) -> tuple[bytes | None, Lines]:
    """The file as it is, if it is there, and its lines with their times, read in another way than ours."""
    for path in LOGHUB.glob("*_2k.log"):
        if path.name.lower().startswith(f"{layout}_"):
            body = path.read_bytes()
            return body, [(line, TIMES[layout](line)) for line in body.decode().split("\r\n")]
    lines = LAYOUTS[layout](2000)
    assert all(TIMES[layout](line) == moment for line, moment in lines)
    return None, lines


@pytest.mark.soak
@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_file_of_loghub_in_each_form(here: World, layout: str) -> None:
    body, lines = corpus(layout)
    assert len(lines) == 2000
    cases = [(form, compression) for form in FORMS for compression in ("none", "gzip", "zstd", "bzip2")]
    for form, compression in cases:
        if form == "parquet" and compression != "none":
            continue
        text = body if form == "lines" and body else FORMS[form](lines)
        name = f"{form} {compression}"
        shown = here.drop(name, COMPRESSIONS[compression](text))
        assert (shown["state"], shown["rows_stored"]) == ("done", 2000), name
        assert [(row["message"], row["timestamp"]) for row in here.rows()] == lines, name
        here.staging.delete([each.key for each in here.staging.under("")])
