"""What strangers send to the open routes, run in a process of its own by tests.measured."""

import json
from contextlib import suppress
from typing import Any

from functions.accounts import forms
from functions.accounts.attempt_counter import TableCounter
from functions.accounts.client_secret import ClientSecret
from functions.accounts.failures import MOST, FailureLimiter
from functions.accounts.refresh_token import verify_refresh_token
from functions.accounts.sign_in import MAX_BODY_CHARACTERS
from functions.shared.errors import HttpError
from functions.shared.secret_text import SecretText


class Pool:
    """Stands for Cognito and DynamoDB: gives the secret, counts writes."""

    def __init__(self) -> None:
        self.reads = 0
        self.writes = 0

    def describe_user_pool_client(self, **_: Any) -> dict[str, Any]:
        self.reads += 1
        return {"UserPoolClient": {"ClientSecret": "s" * 52}}

    def update_item(self, **_: Any) -> dict[str, Any]:
        self.writes += 1
        return {"Attributes": {"tries": {"N": str(self.writes)}}}


def refresh(count: int, shape: str) -> dict[str, int]:
    """Look at so many made-up refresh tokens of one network; what was asked of the services for it."""
    pool = Pool()
    secret, failures = (
        ClientSecret("pool", "client", pool),
        FailureLimiter(TableCounter("attempts", pool), what="refresh"),
    )
    token = {
        "short": "a",
        "long": "a" * forms.MAX_TOKEN_CHARACTERS,
        "well formed": f"r1.{'A' * 512}.{'B' * 43}.{'c' * 7000}",
        "many points": "r1" + ".a" * 4000,
    }[shape]
    refused = sum(
        verify_refresh_token(SecretText(token), secret.sign) is None
        and failures.count_failure("192.0.2.1", 0.0)
        for _ in range(count)
    )
    assert refused == count - MOST
    return {"reads": pool.reads, "writes": pool.writes}


def read_forms(count: int, shape: str) -> int:
    """Read so many bodies, as large as the route lets through; how many were refused."""
    room = MAX_BODY_CHARACTERS
    body = {
        "deep": "[" * room,
        "deep object": '{"a":' * (room // 5),
        "many fields": json.dumps({f"f{number}": 0 for number in range(room // 10)}),
        "one field again": "{" + '"email":"a",' * (room // 13) + '"email":"a"}',
        "long address": json.dumps({"email": "a." * (room // 3), "password": "x"}),
        "dots": json.dumps({"email": "a@" + "a-" * 60 + "a.", "password": "x"}),
    }[shape].encode()
    refused = 0
    for _ in range(count):
        for read in (forms.sign_up, forms.confirmation, forms.log_in, forms.reset, forms.email_of):
            with suppress(HttpError):
                read(body)
                continue
            refused += 1
    return refused
