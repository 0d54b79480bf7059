"""A finding stays open unless an acceptance of its rule stands at or above its construct."""

import pytest

from audit.findings import Acceptance, Finding, judge
from audit.report import as_json, as_text

QUEUE = "/Data/staged-queue"


def finding(rule: str = "CKV_1", path: str = f"{QUEUE}/Resource") -> Finding:
    return Finding("checkov", rule, path, "what is wrong")


def acceptance(*rules: str, path: str = QUEUE) -> Acceptance:
    return Acceptance(path, rules, "Why it stays.")


def test_a_finding_without_an_acceptance_is_open() -> None:
    assert judge([finding()], []).open == [finding()]


def test_an_acceptance_is_for_its_construct_and_what_is_below_it() -> None:
    verdict = judge([finding()], [acceptance("CKV_1")])

    assert (verdict.open, verdict.unused) == ([], [])
    assert verdict.accepted == {acceptance("CKV_1"): [finding()]}


@pytest.mark.parametrize("path", ["/Data/staged-queue-2/Resource", "/Data/other/Resource", "/Data"])
def test_an_acceptance_is_for_no_other_construct(path: str) -> None:
    verdict = judge([finding(path=path)], [acceptance("CKV_1")])

    assert verdict.open == [finding(path=path)]
    assert verdict.unused == [("CKV_1", acceptance("CKV_1"))]


def test_an_acceptance_that_nothing_needs_is_reported() -> None:
    verdict = judge([finding()], [acceptance("CKV_1", "CKV_2")])

    assert [rule for rule, _ in verdict.unused] == ["CKV_2"]


@pytest.mark.parametrize(
    ("pattern", "rule", "accepted"),
    [
        ("IAM5[Resource::*bucket*/[*]]", "IAM5[Resource::<stagingbucket.Arn>/*]", True),
        ("IAM5[Resource::*bucket*/[*]]", "IAM5[Resource::*]", False),
        ("IAM5[Resource::[*]]", "IAM5[Resource::*]", True),
        ("IAM5[Resource::[*]]", "IAM5[Resource::<table.Arn>]", False),
        ("IAM5", "IAM5[Resource::*]", False),
        ("IAM5", "IAM55", False),
    ],
)
def test_the_detail_of_a_rule_must_match(pattern: str, rule: str, *, accepted: bool) -> None:
    verdict = judge([finding(rule)], [acceptance(pattern)])

    assert (verdict.open == []) is accepted


def test_the_report_has_each_reason_once_with_the_number_of_its_findings() -> None:
    verdict = judge(
        [finding("CKV_9"), finding(), finding(path="/Data/dead/Resource")],
        [acceptance("CKV_1"), acceptance("CKV_1", path="/Data/dead")],
    )
    text = as_text(verdict, {"zips": 1})

    assert text.count("Why it stays.") == 1
    assert "    2  CKV_1" in text
    assert "FINDING  checkov  CKV_9" in text
    assert (
        "1 findings without a reason, 0 reasons without a finding, 2 findings accepted for 1 reasons" in text
    )
    report = as_json(verdict, {"zips": 1})
    assert [each["rule"] for each in report["findings"]] == ["CKV_9"]
    assert [each["findings"] for each in report["accepted"]] == [1, 1]
