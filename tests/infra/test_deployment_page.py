"""docs/deployment.md has the throttles and reservations that are deployed."""

import re
from pathlib import Path

from infra import topology
from infra.concurrency import LEAST_ACCOUNT
from infra.topology import FUNCTIONS, Throttle

PAGE = Path("docs/deployment.md").read_text()
LIMITS = PAGE[PAGE.index("## Throttles and reserved concurrency") :].partition("\n## ")[0]


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
