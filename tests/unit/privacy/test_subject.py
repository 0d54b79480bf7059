"""Whose rows an erasure is about, decided from a staged row."""

import json
from typing import Any

import pytest

from functions.privacy.erasure.subject import Subject
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId

ACME = TenantId("acme")


def line(message: str = "m", metadata: Any = None) -> bytes:
    return json.dumps({"message": message, "metadata": metadata or {}}).encode()


@pytest.mark.parametrize(
    ("field", "value", "metadata", "matches"),
    [
        ("metadata.user_id", "u1", {"user_id": "u1"}, True),
        ("metadata.user_id", "u1", {"user_id": "u10"}, False),
        ("metadata.user_id", "7", {"user_id": 7}, True),
        ("metadata.user_id", "7", {"user_id": [7]}, False),
        ("metadata.user_id", "true", {"user_id": True}, True),
        ("metadata.user_id", "null", {"user_id": None}, False),
        ("metadata.user.id", "u1", {"user": {"id": "u1"}}, True),
        ("metadata.user.id", "u1", {"user.id": "u1"}, True),
        ("metadata.user.id", "u1", {"user": "u1"}, False),
        ("metadata.user_id", "u1", {"other": "u1"}, False),
        ("metadata.user_id", "7.0", {"user_id": 7}, True),
        ("metadata.user_id", "7.50", {"user_id": 7.5}, True),
        ("metadata.user_id", "7", {"user_id": 7.0}, True),
        ("metadata.user_id", "1.0", {"user_id": True}, False),
        ("metadata.user_id", "12345678901234567", {"user_id": 12345678901234568}, False),
        ("metadata.user_id", "null", {"user_id": "null"}, True),
    ],
)
def test_a_key_of_metadata_is_the_value(field: str, value: str, metadata: Any, matches: bool) -> None:
    assert Subject(ACME, field, value).rule().matches_line(line(metadata=metadata)) is matches


def test_a_message_contains_the_value() -> None:
    somebody = Subject(ACME, "message", "jane@example.org")

    assert somebody.rule().matches_line(line("mail to <jane@example.org> sent"))
    assert not somebody.rule().matches_line(line("mail sent", {"to": "jane@example.org"}))


def test_an_unreadable_row_matches_when_it_has_the_value() -> None:
    somebody = Subject(ACME, "metadata.user_id", "u1")

    assert somebody.rule().matches_line(b'{"message": "torn, u1')
    assert not somebody.rule().matches_line(b'{"message": "torn')


@pytest.mark.parametrize(
    ("field", "value"), [("message", ""), ("metadata.", "x"), ("metadata", "x"), ("service", "x"), ("", "x")]
)
def test_a_subject_that_matches_all_rows_or_none_is_rejected(field: str, value: str) -> None:
    with pytest.raises(PermanentError):
        Subject(ACME, field, value)
