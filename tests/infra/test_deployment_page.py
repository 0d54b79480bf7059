"""docs/deployment.md says what an idle installation costs: it counts what is deployed, and adds up."""

import re
from pathlib import Path

import pytest

from infra import topology
from infra.concurrency import LEAST_ACCOUNT
from infra.topology import FUNCTIONS, SECRETS, Function, Throttle
from tests.infra.synthesized import Templates

PAGE = Path("docs/deployment.md").read_text()
SECTION = PAGE[PAGE.index("## Idle cost") :].partition("\n## ")[0]
LIMITS = PAGE[PAGE.index("## Throttles and reserved concurrency") :].partition("\n## ")[0]
ROWS = [
    (int(count.replace(",", "")) if count else None, what, float(dollars))
    for count, what, dollars in re.findall(r"^\| ([\d,]+)? ?(\S.*) \| ([\d.]+) \|$", SECTION, re.MULTILINE)
]
SCHEDULED = [spec for spec in FUNCTIONS if spec.schedule_minutes]
MINUTES_A_MONTH = 30 * 24 * 60


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("CloudWatch alarms", "AWS::CloudWatch::Alarm"),
        ("KMS keys", "AWS::KMS::Key"),
        ("queues that Lambda polls", "AWS::Lambda::EventSourceMapping"),
    ],
)
def test_what_is_billed_by_the_piece_is_counted(templates: Templates, what: str, kind: str) -> None:
    assert told(what) == priced(what, len(templates.resources(kind)))


def test_secrets_are_counted() -> None:
    """The templates only name them: operators make them."""
    assert told("secrets") == priced("secrets", len(SECRETS))


def test_runs_are_counted() -> None:
    runs = sum(MINUTES_A_MONTH / minutes(spec) for spec in SCHEDULED)

    assert told("runs of scheduled functions")[0] == runs


def test_it_adds_up_here_and_in_the_readme() -> None:
    total = f"${sum(dollars for _, _, dollars in ROWS):.0f} a month"

    assert f"About **{total}**" in SECTION
    assert f"costs {total}" in " ".join(Path("README.md").read_text().split())


def test_the_throttles_of_the_page_are_the_topologys() -> None:
    """The page names routes, or functions with "every other route": those that no row names."""
    rows = re.findall(r"^\| ([`e].+) \| (\d+) \| (\d+) \|$", LIMITS, re.MULTILINE)
    shown = {
        route: Throttle(int(rate), int(burst))
        for routes, rate, burst in rows
        for route in _others(routes, "".join(each for each, _, _ in rows)) or re.findall(r"`([^`]+)`", routes)
    }
    (others,) = (
        (int(rate), int(burst)) for routes, rate, burst in rows if routes == "every other route, each"
    )
    assert shown == topology.throttles()
    assert Throttle(*others) == topology.CLOSED


def _others(row: str, named: str) -> list[str]:
    """For a row about all other routes of some functions: these routes."""
    folders = re.findall(r"`([^`]+)`", row) if row.startswith("every other route of") else []
    routes = [
        f"{each.method} {each.path}" for spec in FUNCTIONS if spec.folder in folders for each in spec.routes
    ]
    return [route for route in routes if f"`{route}`" not in named]


def test_the_reservations_of_the_page_are_the_topologys() -> None:
    heads, shares = re.findall(r"^\| (?:of 1,000)? ?\| (.+) \|$", LIMITS, re.MULTILINE)[:2]
    shown = dict(zip(heads.split(" | "), map(int, shares.split(" | ")), strict=True))
    reserved = {each.name: each.reserved_concurrency for each in FUNCTIONS if each.reserved_concurrency}
    assert shown == {**reserved, "shared by the rest": 1000 - sum(reserved.values())}
    assert f"The smallest quota that allows reservations is {LEAST_ACCOUNT}." in " ".join(LIMITS.split())


def told(what: str) -> tuple[int | None, float]:
    """How many the page says there are, and what they cost together."""
    ((count, _, dollars),) = (row for row in ROWS if row[1].startswith(what))
    return count, dollars


def price(what: str) -> float:
    """What the page says that one of them costs."""
    ((_, text, _),) = (row for row in ROWS if row[1].startswith(what))
    return float(re.findall(r" at (\d\.\d\d)\b", text)[0])


def priced(what: str, count: int) -> tuple[int, float]:
    return count, round(count * price(what), 2)


def minutes(spec: Function) -> int:
    assert spec.schedule_minutes
    return spec.schedule_minutes
