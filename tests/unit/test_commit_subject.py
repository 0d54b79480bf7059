import pytest

from tests.commit_subject import fault_of


@pytest.mark.parametrize(
    "subject",
    ["sync: probe again after a retried insert", "docs: list the routes", "ingest, sync: share a clock"],
)
def test_a_scope_and_an_imperative_are_accepted(subject: str) -> None:
    assert fault_of(subject.replace(", ", ",")) is None


@pytest.mark.parametrize(
    ("subject", "wrong"),
    [
        ("sync: " + "x" * 67, "73 characters"),
        ("Who never confirmed an address is deleted", "scope"),
        ("sync: retry a lost insert.", "scope"),
        ("Sync: retry", "scope"),
        ("", "scope"),
    ],
)
def test_other_subjects_are_rejected_with_the_reason(subject: str, wrong: str) -> None:
    assert wrong in (fault_of(subject) or "")
