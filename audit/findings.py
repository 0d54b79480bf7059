"""Findings, acceptances, and which finding has which: pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What one rule of one tool says about one construct or one package.

    `path`: the construct's path, `/<stack>/<construct>/…`, or the file and package.
    """

    tool: str
    rule: str
    path: str
    message: str


@dataclass(frozen=True, slots=True, order=True)
class Acceptance:
    """What `infra.accepted.accept` wrote: `rules` stay on the construct at `path` and below it."""

    path: str
    rules: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`unused`: (rule, acceptance) pairs that accept no finding."""

    open: list[Finding]
    accepted: dict[Acceptance, list[Finding]]
    unused: list[tuple[str, Acceptance]]


def judge(findings: Iterable[Finding], acceptances: Iterable[Acceptance]) -> Verdict:
    """Give each finding the first acceptance of its rule at or above its construct."""
    known = sorted(set(acceptances))
    unused = {(rule, each) for each in known for rule in each.rules}
    accepted: dict[Acceptance, list[Finding]] = {}
    still_open = []
    for finding in sorted(set(findings)):
        fitting = [(rule, each) for each in known for rule in each.rules if _accepts(rule, each, finding)]
        if not fitting:
            still_open.append(finding)
            continue
        unused -= set(fitting)
        accepted.setdefault(fitting[0][1], []).append(finding)
    return Verdict(still_open, accepted, sorted(unused))


def _accepts(rule: str, acceptance: Acceptance, finding: Finding) -> bool:
    below = finding.path == acceptance.path or finding.path.startswith(f"{acceptance.path}/")
    return below and _is_rule(rule, finding.rule)


def _is_rule(pattern: str, rule: str) -> bool:
    """The id must be equal; the detail in brackets must match. A pattern without detail accepts no detail."""
    (wanted_id, bracket, wanted), (found_id, found_bracket, found) = (
        pattern.partition("["),
        rule.partition("["),
    )
    if wanted_id != found_id or bracket != found_bracket:
        return False
    return fnmatchcase(found.removesuffix("]"), wanted.removesuffix("]"))
