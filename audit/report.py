"""The audit's report: a short table for people, JSON for programs."""

from collections.abc import Iterable
from typing import Any

from audit.findings import Finding, Verdict

RULES_SHOWN = 110


def as_json(verdict: Verdict, checked: dict[str, int]) -> dict[str, Any]:
    """`checked`: what was looked at -> how many."""
    return {
        "checked": checked,
        "findings": [_fields(each) for each in verdict.open],
        "accepted": [
            {
                "path": acceptance.path,
                "rules": sorted({each.rule for each in findings}),
                "reason": acceptance.reason,
                "findings": len(findings),
            }
            for acceptance, findings in verdict.accepted.items()
        ],
        "unused": [
            {"rule": rule, "path": acceptance.path, "reason": acceptance.reason}
            for rule, acceptance in verdict.unused
        ],
    }


def as_text(verdict: Verdict, checked: dict[str, int]) -> str:
    """Findings first, then each reason once with its rules and the number of findings it accepts."""
    lines = ["checked: " + ", ".join(f"{count} {what}" for what, count in checked.items()), ""]
    lines += [
        f"FINDING  {each.tool}  {each.rule}  {each.path}\n         {each.message}" for each in verdict.open
    ]
    lines += [f"UNUSED   {rule}  {each.path}\n         {each.reason}" for rule, each in verdict.unused]
    lines += ["accepted, by reason:"]
    lines += [
        f"{len(findings):>5}  {_short(sorted({each.rule for each in findings}))}\n       {reason}"
        for reason, findings in _by_reason(verdict)
    ]
    accepted = sum(map(len, verdict.accepted.values()))
    reasons = len({each.reason for each in verdict.accepted})
    lines += [
        "",
        f"{len(verdict.open)} findings without a reason, {len(verdict.unused)} reasons without a finding, "
        f"{accepted} findings accepted for {reasons} reasons",
    ]
    return "\n".join(lines)


def _by_reason(verdict: Verdict) -> list[tuple[str, list[Finding]]]:
    reasons: dict[str, list[Finding]] = {}
    for acceptance, findings in verdict.accepted.items():
        reasons.setdefault(acceptance.reason, []).extend(findings)
    return sorted(reasons.items(), key=lambda each: (-len(each[1]), each[0]))


def _short(rules: Iterable[str]) -> str:
    """Ids without details, each once, as many as a line holds."""
    text = ", ".join(dict.fromkeys(each.partition("[")[0] for each in rules))
    return text if len(text) <= RULES_SHOWN else f"{text[:RULES_SHOWN]}…"


def _fields(finding: Finding) -> dict[str, str]:
    return {name: getattr(finding, name) for name in ("tool", "rule", "path", "message")}
