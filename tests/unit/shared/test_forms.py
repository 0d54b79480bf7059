"""Whatever a body holds, it is a form or a 400 that names the field and quotes no value."""

import json
from contextlib import suppress
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from functions.shared.errors import HttpError
from functions.shared.forms import decoded


class Inner(Struct, forbid_unknown_fields=True):
    count: int = 0


class Form(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(max_length=9)]
    inner: Inner | None = None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_body"),
        (b"{", "invalid_body"),
        (b"\xff", "invalid_body"),
        (b"[]", "invalid_body"),
        (b"[" * 100_000, "invalid_body"),
        (b'{"name": ' + b"[" * 100_000, "invalid_name"),
        (b"{}", "invalid_name"),
        (b'{"name": 7}', "invalid_name"),
        (b'{"name": "secret-value"}', "invalid_name"),
        (b'{"name": "x", "inner": {"count": "secret-value"}}', "invalid_inner"),
        (b'{"name": "x", "other": "secret-value"}', "unknown_field"),
        (b'{"name": "x", "inner": {"more": 1}}', "unknown_field"),
    ],
)
def test_what_does_not_fit_is_named(body: bytes, code: str) -> None:
    with pytest.raises(HttpError) as refused:
        decoded(body, Form)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert "secret-value" not in refused.value.message


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(values | st.fixed_dictionaries({"name": values}, optional={"inner": values}) | st.binary(max_size=40))
def test_no_body_is_anything_else(content: object) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    with suppress(HttpError):
        assert len(decoded(body, Form).name) <= 9
