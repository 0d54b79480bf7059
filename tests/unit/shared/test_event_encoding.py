"""Rows have the identity of their object and place, and are billed without it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from functions.shared.events.encoding import billed_bytes, encode_rows
from functions.shared.events.row import Row

OBJECT = "01m8n1he512rxze3cae0vt6scx"


def row(metadata: str = "{}", tenant: str = "acme") -> Row:
    return Row(tenant, "shop", "t", "info", "s", "m", "", "", "r", Raw(metadata.encode()))


def without_identity(line: bytes) -> bytes:
    found: dict[str, Any] = json.loads(line)
    identity = f',"object_id":"{found["object_id"]}","position":{found["position"]}}}'.encode()
    assert line.endswith(identity)
    return line.removesuffix(identity) + b"}"


@given(st.integers(0, 200_000), st.integers(1, 30), st.sampled_from([OBJECT, f"{OBJECT}p000012"]))
def test_rows_are_numbered_and_billed_without_their_identity(first: int, count: int, object_id: str) -> None:
    encoded = encode_rows([row() for _ in range(count)], object_id, first)
    lines = encoded.lines.splitlines()
    found = [json.loads(line) for line in lines]
    assert [each["position"] for each in found] == list(range(first, first + count))
    assert {each["object_id"] for each in found} == {object_id}
    assert encoded.raw_bytes == sum(len(without_identity(line)) + 1 for line in lines)
    assert billed_bytes(lines) == encoded.raw_bytes


LOOKS_LIKE_ONE = '{"a":1,"object_id":"x","position":5}'


@pytest.mark.parametrize("metadata", ["{}", LOOKS_LIKE_ONE])
def test_what_a_sender_wrote_is_billed_even_if_it_looks_like_an_identity(metadata: str) -> None:
    encoded = encode_rows([row(metadata)], OBJECT, 7)
    (line,) = encoded.lines.splitlines()
    assert billed_bytes([line]) == encoded.raw_bytes == len(without_identity(line)) + 1


@pytest.mark.parametrize("metadata", ["{}", LOOKS_LIKE_ONE])
def test_a_row_of_an_earlier_version_is_billed_as_a_whole(metadata: str) -> None:
    line = f'{{"tenant_id":"acme","message":"m","metadata":{metadata}}}'.encode()
    assert billed_bytes([line]) == len(line) + 1
