"""Who signed up and never confirmed an address is not kept by the identity provider for longer than by us."""

import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.accounts.people import UNCONFIRMED_DAYS
from functions.privacy.sign_ins import SignIns
from functions.privacy.unconfirmed_signups import FORGOTTEN_AFTER_DAYS, UnconfirmedSignUps

A_DAY = 86_400


@pytest.fixture
def cognito() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("cognito-idp", region_name="us-east-1")


def test_unconfirmed_users_are_deleted_after_eight_days_and_confirmed_ones_stay(cognito: Any) -> None:
    pool = cognito.create_user_pool(PoolName="people", UsernameAttributes=["email"])["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="c")["UserPoolClient"]["ClientId"]
    for name in ("never", "confirmed"):
        cognito.sign_up(ClientId=client, Username=f"{name}@example.org", Password="Passw0rd-long!")
    cognito.admin_confirm_sign_up(UserPoolId=pool, Username="confirmed@example.org")
    never_confirmed = UnconfirmedSignUps(SignIns(pool, cognito))
    now = time.time()
    assert never_confirmed.delete_expired(now + UNCONFIRMED_DAYS * A_DAY) == 0
    assert never_confirmed.delete_expired(now + FORGOTTEN_AFTER_DAYS * A_DAY + 60) == 1

    (left,) = cognito.list_users(UserPoolId=pool)["Users"]
    assert left["UserStatus"] == "CONFIRMED"
    assert never_confirmed.delete_expired(now + 99 * A_DAY) == 0


def test_more_than_a_page_of_them_go(cognito: Any) -> None:
    """Cognito lists 60 at a time."""
    pool = cognito.create_user_pool(PoolName="people", UsernameAttributes=["email"])["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="c")["UserPoolClient"]["ClientId"]
    for number in range(61):
        cognito.sign_up(ClientId=client, Username=f"{number}@example.org", Password="Passw0rd-long!")
    later = time.time() + 99 * A_DAY

    assert UnconfirmedSignUps(SignIns(pool, cognito)).delete_expired(later) == 61
    assert cognito.list_users(UserPoolId=pool)["Users"] == []


def test_a_sign_up_can_be_confirmed_for_as_long_as_we_store_it() -> None:
    assert FORGOTTEN_AFTER_DAYS > UNCONFIRMED_DAYS
