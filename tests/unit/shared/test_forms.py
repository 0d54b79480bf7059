"""Whatever a body holds, it is a form or a 400 that names the field and quotes no value."""

import json
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal

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


class Explained(Struct, forbid_unknown_fields=True, rename={"since": "from"}):
    """A field of each kind that our forms have."""

    since: Annotated[datetime, Meta(tz=True)] | None = None
    original: Literal["delete", "keep"] | None = None
    scopes: Annotated[list[Literal["ingest", "read"]], Meta(min_length=1, max_length=3)] | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    days: Annotated[int, Meta(ge=1)] = 1
    value: str | int | float | bool | None = None
    flag: bool = False
    texts: dict[str, int] = {}
    inner: Inner | None = None
    anything: Any = None
    size: Annotated[int, Meta(extra_json_schema={"minimum": 1})] = 1
    port: Annotated[int, Meta(ge=1, extra_json_schema={"maximum": 9})] | None = None


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


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"original": "burn-secret"}, "'original' must be one of delete, keep."),
        ({"original": 7}, "'original' must be one of delete, keep."),
        ({"scopes": ["secret"]}, "'scopes[0]' must be one of ingest, read."),
        ({"scopes": []}, "'scopes' must be a list of 1 to 3 values, each one of ingest, read."),
        ({"limit": 0}, "'limit' must be a whole number from 1 to 1000."),
        ({"limit": "secret"}, "'limit' must be a whole number from 1 to 1000."),
        ({"days": 0}, "'days' must be a whole number, 1 or more."),
        ({"value": []}, "'value' must be text or a number or true or false."),
        ({"flag": "secret"}, "'flag' must be true or false."),
        (
            {"from": "secret"},
            "'from' must be an RFC 3339 time with a time zone, such as 2026-11-23T10:00:00Z.",
        ),
        ({"texts": {"secret": "x"}}, "'texts[...]' must be a whole number."),
        ({"inner": 7}, "'inner' must be an object."),
        ({"size": "secret"}, "'size' must be a whole number."),
        ({"port": "secret"}, "'port' must be a whole number, 1 or more."),
        ({"inner": {"count": "secret"}}, "'inner.count' must be a whole number."),
        ([], "'body' must be an object."),
    ],
)  # fmt: skip
def test_the_message_says_what_the_field_must_be_and_never_quotes_the_value(sent: Any, message: str) -> None:
    with pytest.raises(HttpError) as refused:
        decoded(json.dumps(sent).encode(), Explained)
    assert refused.value.message == message
    assert refused.value.details == {"field": message.split("'")[1]}


class Required(Struct, forbid_unknown_fields=True):
    scopes: Annotated[list[Literal["ingest", "read"]], Meta(min_length=1)]
    inner: Form | None = None


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, "'scopes' is missing: it must be a list of 1 or more values, each one of ingest, read."),
        (
            {"scopes": ["read"], "inner": {}},
            "'inner.name' is missing: it must be text of at most 9 characters.",
        ),
    ],
)
def test_the_message_about_a_missing_field_says_what_it_must_be(sent: Any, message: str) -> None:
    with pytest.raises(HttpError) as refused:
        decoded(json.dumps(sent).encode(), Required)
    assert refused.value.message == message


@pytest.mark.parametrize("name", ["limit", "value", "anything"])
def test_a_number_beyond_a_double_is_called_too_large(name: str) -> None:
    with pytest.raises(HttpError) as refused:
        decoded(f'{{"{name}": 1e999}}'.encode(), Explained)
    assert refused.value.message == f"'{name}' is a number that is too large."


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"nmae": 1}, "There is an unknown field 'nmae' in the body. Allowed fields: name, inner."),
        (
            {"name": "x", "inner": {"more": 1}},
            "There is an unknown field 'more' in 'inner'. Allowed fields: count.",
        ),
    ],
)  # fmt: skip
def test_an_unknown_field_is_answered_with_the_allowed_ones(sent: Any, message: str) -> None:
    with pytest.raises(HttpError) as refused:
        decoded(json.dumps(sent).encode(), Form)
    assert (refused.value.code, refused.value.message) == ("unknown_field", message)


@given(st.text() | st.sampled_from(["a` - at `$.inner", "` - at `$", "\n` - at `$.name.x[0]"]))
def test_an_unknown_field_of_any_name_is_an_unknown_field(name: str) -> None:
    with pytest.raises(HttpError) as refused:
        decoded(json.dumps({"name": "x", f"not-{name}": 1}).encode("utf-8", "surrogatepass"), Form)
    assert refused.value.code == "unknown_field"


def test_a_form_with_secrets_does_not_quote_the_name_of_an_unknown_field() -> None:
    with pytest.raises(HttpError) as refused:
        decoded(b'{"secret-value": 1}', Form, quotes_unknown=False)
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
