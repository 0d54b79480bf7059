"""Answers to SQS: each record succeeds or fails by itself."""

import json
from typing import Any

import pytest

from functions.shared.batch import SQSRecord, process_records
from functions.shared.errors import RetryableError


def event(*tenants: str) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": json.dumps({"tenant": tenant})}
            for number, tenant in enumerate(tenants)
        ]
    }


def failed(response: Any) -> list[str]:
    return [each["itemIdentifier"] for each in response["batchItemFailures"]]


def test_the_records_that_raise_are_redelivered_and_no_other() -> None:
    processed: list[str] = []

    def handle(record: SQSRecord) -> None:
        if record.json_body["tenant"] == "acme":
            raise RetryableError("not now")
        processed.append(record.json_body["tenant"])

    assert failed(process_records(event("acme", "globex", "acme", "globex"), handle)) == ["m0", "m2"]
    assert processed == ["globex", "globex"]


def test_when_all_fail_each_is_redelivered_after_its_own_timeout() -> None:
    """Powertools' default raises: then the whole batch would have the queue's timeout."""

    def handle(_record: SQSRecord) -> None:
        raise RetryableError("not now")

    assert failed(process_records(event("acme", "globex"), handle)) == ["m0", "m1"]


def test_an_unexpected_error_fails_its_record_only_and_is_logged_without_its_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    processed: list[str] = []

    def handle(record: SQSRecord) -> None:
        if record.json_body["tenant"] == "acme":
            raise ValueError(record.body)
        processed.append(record.json_body["tenant"])

    assert failed(process_records(event("acme", "globex"), handle)) == ["m0"]
    assert processed == ["globex"]
    (line,) = capsys.readouterr().out.splitlines()
    written = json.loads(line)
    assert (written["event"], written["error_type"]) == ("unexpected_error", "ValueError")
    assert "handle" in written["error_place"]
    assert "acme" not in line


def test_a_second_event_is_answered_without_the_first_ones_failures() -> None:
    def fail(_record: SQSRecord) -> None:
        raise RetryableError("not now")

    assert failed(process_records(event("acme", "globex"), fail)) == ["m0", "m1"]
    assert failed(process_records(event("acme", "globex"), lambda _record: None)) == []
