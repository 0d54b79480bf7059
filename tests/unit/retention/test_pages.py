"""docs/retention.md says of everything that rests with us how long it does, and says what is so."""

import re
from pathlib import Path

from functions.shared.access import BYOC
from functions.shared.accounts.retention_terms import GRACE_DAYS
from functions.shared.plans import PLANS
from infra.topology import BUCKETS, FUNCTIONS, SIGNALS

PAGE = Path("docs/retention.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|")
]


def cells(where: str, prefix: str) -> list[str]:
    """Those of all rows about the part of a bucket."""
    rows = (each for each in ROWS if f"bucket `{where}`" in each[1] and f"`{prefix}`" in each[1])
    return [cell for each in rows for cell in each]


def test_every_part_of_every_bucket_has_its_limit_documented() -> None:
    """S3's rule is what ends it, or what is left when that fails."""
    for bucket in BUCKETS:
        assert bucket.expire_days, f"{bucket.name}: nothing says how long it keeps what is in it"
        for prefix, days in bucket.expire_days.items():
            assert any(f"S3 after {days} days" in cell for cell in cells(bucket.name, prefix)), prefix


def test_every_plan_has_its_days_documented() -> None:
    for plan in PLANS.values():
        (reported,) = (each for each in ROWS if f"`{plan.name}`" in each[0])
        days = 0 if plan.name == BYOC else plan.retention_days
        assert re.search(rf"\b{days} days\b", reported[2]), plan.name


def test_the_grace_of_a_shorter_plan_is_documented() -> None:
    words = {7: "seven"}
    assert f"**{words[GRACE_DAYS]} days later**" in PAGE
    assert f"the last {words[GRACE_DAYS]} days" in PAGE


def test_what_ends_it_is_a_function_that_runs() -> None:
    named = {each for cells in ROWS for each in re.findall(r"`([\w-]+)`", cells[3])}
    assert named <= {each.name for each in FUNCTIONS}
    assert {"retention", "sweeper", "dropin"} <= named


def test_the_documented_alarms_exist() -> None:
    alarms = {each.metric for each in SIGNALS}
    assert {each for each in re.findall(r"`([A-Z]\w+)`", PAGE) if each in alarms} >= {
        "RowsPastRetention", "ByocAtRest", "RowsOfUnknownTenants", "ExpiredObjects",
    }  # fmt: skip
