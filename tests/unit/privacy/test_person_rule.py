"""Which rows mention a person: case by case, and at what cost."""

import json
import random

import pytest

from functions.privacy.erasure.json_tokens import is_one_object
from functions.privacy.erasure.person_rule import PersonRule
from infra.topology import function
from tests.crash.person_rows import sample
from tests.measured import cost_of
from tests.unit.privacy.hostile_rows import HOSTILE

BOB = "bob@example.org"


@pytest.mark.parametrize(
    "metadata",
    [
        '{"email":"bob@example.org","n":1e999}',
        '{"email":"bob@example.org","n":-1.5e400}',
        '{"email":"eve@example.org","email":"bob@example.org"}',
        '{"email":"bob@example.org","email":"eve@example.org"}',
        '{"email":{"of":"eve"},"email":"bob@example.org"}',
        '{"\\u0065mail":"b\\u006Fb@example.org"}',
        ' { "email"\t:  "bob@example.org" } ',
        '{"email":"bob@example.org","deep":' + "[" * 2000 + "]" * 2000 + "}",
        '{"email":"bob@example.org","half":"\\ud83d"}',
        '{"email":"bob@example.org"',
        '{"email":"b\\u006fb@example.org',
        '["bob@example.org"]',
        "{'email':'bob@example.org'}",
        '{"email":"bob@example.org\\q"}',
        '{"email":"bob\x01@example.org"',
        '{"email":"b\\u0\x0106fb@example.org"',
        '{"email":"bob\t@example.org","n":}',
    ],
)
def test_metadata_mentions_a_person_however_it_is_written(metadata: str) -> None:
    assert PersonRule("email", BOB).matches_metadata(metadata)


@pytest.mark.parametrize(
    "metadata",
    [
        '{"email":["bob@example.org"]}',
        '{"user":{"email":"bob@example.org"}}',
        '{"mail":"bob@example.org"}',
        '{"email":"Bob@example.org"}',
        '{"email":"bob@example.org "}',
        '{"text":"\\"email\\":\\"bob@example.org\\""}',
        '{"email":"eve@example.org","n":1e999}',
        "",
    ],
)
def test_metadata_with_the_value_elsewhere_does_not_mention_the_person(metadata: str) -> None:
    assert not PersonRule("email", BOB).matches_metadata(metadata)


@pytest.mark.parametrize(
    ("value", "number", "same"),
    [
        ("7", "7.0", True),
        ("7", "70e-1", True),
        ("7", "6.9999999999999999", True),
        ("7", "-7", False),
        ("7", "71", False),
        ("-0", "0", True),
        ("0", "1e-400", True),
        ("0.1", "0.1000000000000000055511151231257827", True),
        ("1000", "1e3", True),
        ("1e3", "1000", True),
        ("1e3", "999.99999999999999999", True),
        ("9007199254740992", "9007199254740993", False),
        ("123456789012345678901234567890", "123456789012345678901234567890", True),
        ("123456789012345678901234567890", "123456789012345678901234567891", False),
        ("1e999", "1e999", True),
        ("1e999", "10e998", True),
        ("1e99999999999999999999", "2e99999999999999999999", False),
        ("007", "7", False),
        ("true", "true", True),
        ("null", "null", False),
    ],
)
def test_a_number_is_the_value_however_it_is_spelled(value: str, number: str, same: bool) -> None:
    """Whole numbers to the last digit; others as far as doubles distinguish them, and a little further."""
    assert PersonRule("id", value).matches_metadata(f'{{"id":{number}}}') is same


@pytest.mark.parametrize(
    ("metadata", "mentioned"),
    [
        ('{"a":{"b":"x"}}', True),
        ('{"a.b":"x"}', True),
        ('{"a":1,"a":{"c":2,"b":"x"}}', True),
        ('{"a":{"b":"y"},"a":{"b":"x"}}', True),
        ('{"a":1,"c":{"b":"x"}}', False),
        ('{"a":[{"b":"x"}]}', False),
        ('{"a":{"c":{"b":"x"}}}', False),
        ('{"c":{"a":{"b":"x"}}}', False),
        ('{"b":"x"}', False),
    ],
)
def test_a_dot_leads_into_an_object_or_is_part_of_the_key(metadata: str, mentioned: bool) -> None:
    assert PersonRule("a.b", "x").matches_metadata(metadata) is mentioned


def test_text_is_compared_without_normalisation() -> None:
    composed, decomposed = '{"name":"\u00e9"}', '{"name":"e\u0301"}'

    assert PersonRule("name", "\u00e9").matches_metadata(composed)
    assert not PersonRule("name", "\u00e9").matches_metadata(decomposed)


@pytest.mark.parametrize(
    "line",
    [
        b'{"message":"of bob","message":"of eve","metadata":{}}',
        b'{"m\\u0065ssage":"of b\\u006fb"}',
        b'{"message":"of bob',
        b"of bob",
        b'{"message" "of bob"}',
        b'\xff{"message":"of bob"}',
        b'{"message":"of\t bob',
    ],
)
def test_a_line_mentions_what_its_message_contains_and_a_broken_one_anything_in_it(line: bytes) -> None:
    assert PersonRule(None, "of bob").matches_line(line)
    assert not PersonRule(None, "of joe").matches_line(line)


def test_metadata_that_was_staged_as_text_is_read_like_other_metadata() -> None:
    line = json.dumps({"message": "m", "metadata": '{"email":"bob@example.org"}'}).encode()

    assert PersonRule("email", BOB).matches_line(line)
    assert not PersonRule("mail", BOB).matches_line(line)


def test_metadata_deeper_than_parsers_read_is_one_object_when_its_form_is_right() -> None:
    """In doubt is what no JSON parser would read at any depth, and only that."""
    chance = random.Random(1)
    samples = [sample(chance) for _ in range(400)]
    for each in samples:
        if each.is_json:
            text = f'{{"wall":{"[" * 1200}{each.metadata.decode()}{"]" * 1200}}}'
            assert is_one_object(text), each
    for broken in (
        '{"a":1 "b":2}',
        '{"a":1,}',
        '{"a"}',
        '{"a":9 9}',
        '{"a":1,2}',
        '{"a":1}{',
        "[1]",
        '{"a":tru}',
    ):
        assert not is_one_object(broken), broken


@pytest.mark.measured
@pytest.mark.parametrize("shape", HOSTILE)
def test_a_hostile_row_of_a_mebibyte_costs_seconds_and_little_memory(shape: str) -> None:
    eraser = function("eraser")
    argument = {"shape": shape, "key": "email", "value": "\\u0041 bob"}
    cost = cost_of(
        "tests.unit.privacy.hostile_rows:judge_hostile",
        argument,
        memory_mb=eraser.memory_mb,
        within_cpu_seconds=5,
    )

    assert cost.peak_mb < eraser.memory_mb / 2, cost
    assert cost.cpu_seconds < 5, cost
