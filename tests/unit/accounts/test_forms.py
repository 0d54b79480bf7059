"""A public form with missing fields is rejected with one 400 that lists them."""

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
