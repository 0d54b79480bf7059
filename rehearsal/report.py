"""The report of a rehearsal, for people and as JSON."""

from collections import Counter
from typing import Any

from rehearsal.checks import requests_of
from rehearsal.run import Outcome


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The figures: seconds, counts, and what failed."""
    return {
        "failures": outcome.failures,
        "seconds": round(outcome.seconds, 1),
        "cpu_seconds": round(outcome.cpu_seconds, 1),
        "phases": {name: round(seconds, 1) for name, seconds in outcome.phases.items()},
        "resources": outcome.resources,
        "substituted": outcome.substituted,
        "scenarios": {name: round(seconds, 1) for name, seconds in outcome.scenarios.items()},
        "requests": requests_of(outcome.calls),
        "calls": dict(calls_by_service(outcome.calls)),
        "denied": sum(each["count"] for each in outcome.calls if each["denied"]),
        "forbidden": {
            "roles": len(outcome.tried.roles),
            "refused": outcome.tried.refused,
            "permitted": outcome.tried.allowed,
        },
        "checks": {check.name: check.faults for check in outcome.checks},
        "invocations": outcome.invocations,
    }


def calls_by_service(calls: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Service -> number of calls, the most called first."""
    counted: Counter[str] = Counter()
    for each in calls:
        counted[each["service"]] += each["count"]
    return counted.most_common()


def as_text(outcome: Outcome) -> str:
    """One block of text."""
    figures = as_json(outcome)
    resources = ", ".join(f"{stack} {count}" for stack, count in outcome.resources.items())
    calls = ", ".join(f"{service} {count}" for service, count in calls_by_service(outcome.calls))
    lines = [
        "",
        f"duration     {figures['seconds']} s, {figures['cpu_seconds']} s of processor time",
        f"resources    {sum(outcome.resources.values())} ({resources})",
        f"requests     {figures['requests']} to the API",
        f"calls        {calls}",
        f"denied       {figures['denied']}",
        f"forbidden    {outcome.tried.refused} calls of {len(outcome.tried.roles)} roles were refused; "
        f"{outcome.tried.allowed} permitted ones were not",
        f"invocations  {sum(outcome.invocations.values())} of {len(outcome.invocations)} functions",
        *(f"{'FAILED' if check.faults else 'ok':<12} {check.name}" for check in outcome.checks),
    ]
    if outcome.failures:
        lines += ["", "The rehearsal failed:", *(f"  {each}" for each in outcome.failures)]
    return "\n".join(lines)
