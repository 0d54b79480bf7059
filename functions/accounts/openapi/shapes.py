"""What the routes of accounts have in common."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from functions.accounts import forms

EmailText = Annotated[str, Meta(max_length=forms.MAX_EMAIL_CHARACTERS, extra_json_schema={"format": "email"})]

EMAIL, CODE = "ada@example.com", "123456"
"""Values in the examples."""


class ConfirmationSent(Struct):
    """A code is mailed to the address, unless that would reveal who has an account."""

    status: Literal["confirmation_sent"]
