"""What is asked for, read from bodies."""

import json
from typing import Any

import pytest

from functions.privacy import forms
from functions.privacy.erasure.person_rule import MAX_PATH_PARTS
from functions.privacy.forms import RequestedPeriod
from functions.shared.errors import HttpError
from functions.shared.tenancy import TenantId

ACME = TenantId("acme")
NOW = 1_800_000_000.0


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("value", "text"), [("u1", "u1"), (7, "7"), (7.5, "7.5"), (True, "true"), (False, "false"), ("7", "7")]
)
def test_a_person_is_a_field_and_a_value_of_whatever_type(value: Any, text: str) -> None:
    wish = forms.erasure(body(field="metadata.user_id", value=value), ACME)

    assert wish.subject
    assert (wish.subject.tenant, wish.subject.field, wish.subject.value) == (ACME, "metadata.user_id", text)


def test_the_account_is_asked_for_by_name() -> None:
    wish = forms.erasure(body(account=True, confirm="acme"), ACME)

    assert (wish.subject, wish.confirm) == (None, "acme")


def test_a_path_of_too_many_parts_is_named_as_that() -> None:
    longest = "metadata." + "." * (MAX_PATH_PARTS - 1)
    wish = forms.erasure(body(field=longest, value="x"), ACME)
    assert wish.subject
    assert wish.subject.field == longest

    with pytest.raises(HttpError) as rejected:
        forms.erasure(body(field=f"{longest}.", value="x"), ACME)
    assert (rejected.value.status, rejected.value.code) == (400, "invalid_field")
    assert (
        f"has {MAX_PATH_PARTS + 1} parts between dots, more than {MAX_PATH_PARTS}" in rejected.value.message
    )


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "invalid_body"),
        (b"{", "invalid_body"),
        (b"[]", "invalid_body"),
        (b"{}", "invalid_field"),
        (body(field="message"), "invalid_value"),
        (body(value="x"), "invalid_field"),
        (body(field="message", value="ab"), "invalid_value"),
        (body(field="message", value=""), "invalid_value"),
        (body(field="service", value="shop"), "invalid_field"),
        (body(field="metadata.", value="x"), "invalid_field"),
        (body(field="metadata.k", value=""), "invalid_value"),
        (body(field="metadata.k", value=["x"]), "invalid_value"),
        (body(field="metadata.k", value="x" * 1001), "invalid_value"),
        (body(field="m", value="x", other=1), "unknown_field"),
        (body(account=True, field="message", value="abc"), "invalid_account"),
        (body(account="yes"), "invalid_account"),
    ],
)
def test_a_request_that_matches_all_people_or_none_is_rejected(sent: bytes, code: str) -> None:
    with pytest.raises(HttpError) as refused:
        forms.erasure(sent, ACME)

    assert (refused.value.status, refused.value.code) == (400, code)


def test_the_closing_is_confirmed_in_the_body_or_in_the_address() -> None:
    assert forms.closing(b"", {}) is None
    assert forms.closing(b"", {"confirm": "acme"}) == "acme"
    assert forms.closing(body(confirm="acme"), {"confirm": "other"}) == "acme"


def test_a_copy_has_the_logs_of_a_period_or_none() -> None:
    assert forms.export(b"", NOW) is None
    assert forms.export(b"{}", NOW) is None
    period = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T01:00:00+01:00"}
    assert forms.export(body(logs=period), NOW) == RequestedPeriod(1_793_491_200, 1_793_577_600)


@pytest.mark.parametrize(
    "logs",
    [
        {}, {"from": "2026-11-01T00:00:00Z"}, {"from": "2026-11-01", "to": "2026-11-02"},
        {"from": "2026-11-02T00:00:00Z", "to": "2026-11-02T00:00:00Z"},
        {"from": "2099-11-02T00:00:00Z", "to": "2099-11-03T00:00:00Z"},
        {"from": "1969-11-02T00:00:00Z", "to": "2026-11-03T00:00:00Z"}, "all",
    ],
)  # fmt: skip
def test_a_period_that_is_none_is_refused(logs: Any) -> None:
    with pytest.raises(HttpError) as refused:
        forms.export(body(logs=logs), NOW)

    assert (refused.value.status, refused.value.code) == (400, "invalid_logs")
    assert refused.value.details["field"].startswith("logs")
