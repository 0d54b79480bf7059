"""docs/operations.md has a section for each alarm, and each warning by its number."""

import re
from pathlib import Path

import pytest

from infra.topology import ALARMS, SIGNALS, Signal
from tests.infra.synthesized import Templates

PAGE = Path("docs/operations.md").read_text()
HEADINGS = {
    re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-")
    for heading in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
}


def section(heading: str) -> str:
    return re.split(r"\n#{2,3} ", PAGE.split(f"\n### {heading}\n")[1])[0]


def test_each_alarm_has_a_section_that_says_what_it_means_what_to_check_and_what_to_do(
    templates: Templates,
) -> None:
    for alarm in templates.properties("AWS::CloudWatch::Alarm"):
        anchor = alarm["AlarmDescription"].rpartition("docs/operations.md#")[2]
        for part in ("**Means**", "**Check**", "**Do**"):
            assert part in section(anchor), f"{anchor} lacks {part}"


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: f"{signal.alarm}-{signal.number}")
def test_each_warning_is_in_the_table_of_its_alarm(signal: Signal) -> None:
    rows = re.findall(
        r"^\| (\d+) \| `(\w+)` \| ([\w-]+) \| ([\d,]+) \| (.+) \| (.+) \|$",
        section(signal.alarm),
        re.MULTILINE,
    )
    (row,) = (each for each in rows if int(each[0]) == signal.number)

    limit = int(row[3].replace(",", ""))
    assert (row[1], row[2], limit, row[4]) == (
        signal.metric, signal.function, signal.above, signal.description,
    )  # fmt: skip


def test_each_link_within_the_page_has_a_heading() -> None:
    links = set(re.findall(r"\]\(#([\w-]+)\)", PAGE))
    anchors = HEADINGS | set(re.findall(r'<a id="([\w-]+)">', PAGE))

    assert links <= anchors
    assert ALARMS.keys() <= HEADINGS
