"""A public form with missing fields, or unknown ones, is rejected with one 400 that lists the names."""

from collections.abc import Callable

import pytest

from functions.accounts import forms
from functions.shared.errors import HttpError


@pytest.mark.parametrize(
    ("form", "body", "code", "message"),
    [
        (
            forms.log_in,
            b"{}",
            "invalid_email",
            "'email' and 'password' are missing: send 'email' and 'password', or 'refresh_token'.",
        ),
        (
            forms.log_in,
            b"",
            "invalid_email",
            "'email' and 'password' are missing: send 'email' and 'password', or 'refresh_token'.",
        ),
        (
            forms.log_in,
            b'{"email": "ada@example.com"}',
            "invalid_password",
            "'password' is missing: send 'email' and 'password', or 'refresh_token'.",
        ),
        (
            forms.sign_up,
            b'{"email": null}',
            "invalid_name",
            "'name', 'email', 'password' and 'accept_terms' are missing.",
        ),
        (forms.confirmation, b"{}", "invalid_email", "'email', 'code' and 'password' are missing."),
        (forms.email_of, b"{}", "invalid_email", "'email' is missing."),
        (forms.reset, b'{"email": "a@b.cd"}', "invalid_code", "'code' and 'password' are missing."),
        (forms.password_change, b'{"password": "x"}', "invalid_new_password", "'new_password' is missing."),
    ],
)
def test_a_rejection_lists_every_missing_field(
    form: Callable[[bytes], object], body: bytes, code: str, message: str
) -> None:
    with pytest.raises(HttpError) as refused:
        form(body)
    assert (refused.value.status, refused.value.code, refused.value.message) == (400, code, message)
    named = [each for each in message.split(" missing")[0].split("'") if each.isidentifier()]
    assert refused.value.details == {"field": named[0], "missing": named}


@pytest.mark.parametrize(
    ("form", "allowed"),
    [
        (forms.sign_up, "name, email, password, accept_terms, marketing_opt_in"),
        (forms.confirmation, "email, code, password"),
        (forms.email_of, "email"),
        (forms.log_in, "email, password, refresh_token, cookie"),
        (forms.reset, "email, code, password"),
        (forms.password_change, "password, new_password"),
        (forms.log_out, "everywhere, refresh_token, cookie"),
    ],
)
def test_an_unknown_field_is_rejected_with_the_allowed_ones_and_not_quoted(
    form: Callable[[bytes], object], allowed: str
) -> None:
    """A misspelt `marketing_opt_in` would be lost. The name may be a password that was sent as one."""
    with pytest.raises(HttpError) as refused:
        form(b'{"email": "ada@example.com", "violet-teapot": 1}')
    assert (refused.value.status, refused.value.code) == (400, "unknown_field")
    assert refused.value.message == f"There is an unknown field in the body. Allowed fields: {allowed}."
    assert refused.value.details == {"field": "body"}
