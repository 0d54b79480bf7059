"""The report of an upgrade, for people and as JSON."""

from typing import Any

from rehearsal.upgrade.run import Upgraded


def as_json(outcome: Upgraded) -> dict[str, Any]:
    """The figures: seconds, counts, and what failed."""
    return {
        "previous": outcome.previous,
        "failures": outcome.failures,
        "seconds": round(outcome.seconds, 1),
        "phases": {name: round(seconds, 1) for name, seconds in outcome.phases.items()},
        "rows": outcome.rows,
        "requests": outcome.requests,
        "statuses": outcome.statuses,
        "data_resources": outcome.data_resources,
        "replaced": len(outcome.replaced),
        "rolled_back": outcome.rolled_back,
        "restored_tables": outcome.restored_tables,
        "checks": {check.name: check.faults for check in outcome.checks},
    }


def as_text(outcome: Upgraded) -> str:
    """One block of text."""
    statuses = ", ".join(f"{status} {count}" for status, count in outcome.statuses.items())
    rolled_back = ", ".join(f"{stack} {status}" for stack, status in outcome.rolled_back.items())
    lines = [
        "",
        f"from         {outcome.previous}",
        f"duration     {outcome.seconds:.1f} s",
        f"load         {outcome.rows} rows, {outcome.requests} requests ({statuses})",
        f"data         {outcome.data_resources} resources, {len(outcome.replaced)} replaced",
        f"rolled back  {rolled_back}",
        f"restored     {outcome.restored_tables} tables",
        *(f"{'FAILED' if check.faults else 'ok':<12} {check.name}" for check in outcome.checks),
    ]
    if outcome.failures:
        lines += ["", "The upgrade failed:", *(f"  {each}" for each in outcome.failures)]
    return "\n".join(lines)
