"""`POST /v1/query/format`: the response, and what is rejected (the texts: test_query_language)."""

import json

import pytest

from functions.query.format import format_answer
from functions.query.language.parser import MAX_CHARACTERS
from functions.shared.errors import HttpError


def test_a_query_is_answered_formatted() -> None:
    content = json.dumps({"query": 'level:(warn OR error OR fatal)  AND NOT msg:"timed out"'}).encode()
    assert json.loads(format_answer(content)) == {"query": 'level:>=warn -message:"timed out"'}
    assert json.loads(format_answer(b"")) == {"query": "*"}


def test_a_query_that_would_become_too_long_stays_as_it_is() -> None:
    text = " ".join([f"*{'x' * 61} {'y' * 63}*"] * 64)
    assert MAX_CHARACTERS - len(text) == 1
    assert json.loads(format_answer(json.dumps({"query": text}).encode())) == {"query": text}


def test_a_text_that_is_no_query_is_rejected_at_its_column() -> None:
    with pytest.raises(HttpError) as raised:
        format_answer(b'{"query": "order level:errr"}')
    assert (raised.value.status, raised.value.code) == (400, "invalid_query")
    assert raised.value.details["column"] == 13


@pytest.mark.parametrize(
    ("content", "code"),
    [(b'{"q": "a"}', "unknown_field"), (b"[1]", "invalid_body"), (b'{"query": 1}', "invalid_query")],
)
def test_a_body_of_another_form_is_rejected(content: bytes, code: str) -> None:
    with pytest.raises(HttpError) as raised:
        format_answer(content)
    assert (raised.value.status, raised.value.code) == (400, code)
