"""The local pool of people and the outbox: ids that follow from names, codes that end, mails shown."""

import json
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from bench.children import child
from functions.accounts.client_secret import ClientSecret
from functions.accounts.identity import Identity
from functions.shared.secret_text import SecretText
from local import user_pool
from local.codes import HOUR, Codes, ExpiredError, MismatchError, Purpose
from local.mail import MAX_KEPT, Outbox, provision_mail
from local.user_pool import provision_identity
from tests.unit.accounts.public_routes import MAIL_FROM, PASSWORD, client, wrong


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with child("local.aws") as aws:
        yield f"http://127.0.0.1:{aws.port}"


@pytest.fixture(scope="module")
def cognito(endpoint: str) -> Any:
    return client("cognito-idp", endpoint)


def outbox_mails(endpoint: str, query: str = "") -> list[dict[str, str]]:
    with urlopen(f"{endpoint}/_mail{query}", timeout=10) as answer:  # noqa: S310
        mails: list[dict[str, str]] = json.load(answer)
        return mails


def test_a_function_can_get_the_pools_names_before_the_pool_exists(cognito: Any, endpoint: str) -> None:
    names = user_pool.named(endpoint)
    assert provision_identity(cognito) == (names["pool"], names["client"], names["issuer"], names["keys_url"])
    configuration = f"{endpoint}/{names['pool']}/.well-known/openid-configuration"
    with urlopen(configuration, timeout=10) as answer:  # noqa: S310
        published = json.load(answer)
    assert (published["issuer"], published["jwks_uri"]) == (names["issuer"], names["keys_url"])


def test_provisioning_again_keeps_all_users_and_two_pools_are_two(cognito: Any) -> None:
    first = provision_identity(cognito, "first")
    second = provision_identity(cognito, "second")
    for pool, client_id, *_ in (first, second):
        signed_up(cognito, pool, client_id, "ada@example.com")
        assert provision_identity(cognito, pool_name="first") == first
        assert len(cognito.list_users(UserPoolId=pool)["Users"]) == 1
    assert not set(first) & set(second)


@pytest.mark.parametrize("flow", ["USER_PASSWORD_AUTH", "USER_SRP_AUTH", "CUSTOM_AUTH"])
def test_the_clients_public_id_does_not_allow_to_try_passwords(cognito: Any, flow: str) -> None:
    _, client_id, *_ = provision_identity(cognito)
    with pytest.raises(ClientError, match="not enabled for this client"):
        cognito.initiate_auth(
            ClientId=client_id,
            AuthFlow=flow,
            AuthParameters={"USERNAME": "ada@example.com", "PASSWORD": PASSWORD},
        )


@pytest.mark.parametrize("password", ["elevenchars", "x" * 257, "twelve chars and spaces"])
def test_the_pools_policy_is_kept(cognito: Any, password: str) -> None:
    pool, client_id, *_ = provision_identity(cognito)
    with pytest.raises(cognito.exceptions.InvalidPasswordException):
        signed_up(cognito, pool, client_id, "weak@example.com", password)


@pytest.mark.parametrize("flow", ["REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"])
def test_a_hash_for_a_refresh_is_over_the_name_the_person_has_for_good(cognito: Any, flow: str) -> None:
    """As reported of the real service, which takes no hash over the address there."""
    pool, client_id, *_ = provision_identity(cognito)
    email, secret = f"{flow.lower()}@example.com", ClientSecret(pool, client_id, cognito)
    subject = signed_up(cognito, pool, client_id, email)
    cognito.admin_confirm_sign_up(UserPoolId=pool, Username=email)
    token = Identity(pool, client_id, cognito).log_in(email, SecretText(PASSWORD)).refresh
    assert token

    def refresh(username: str) -> Any:
        parameters = {"REFRESH_TOKEN": token.reveal(), "SECRET_HASH": secret.hash_for(username)}
        return cognito.initiate_auth(ClientId=client_id, AuthFlow=flow, AuthParameters=parameters)

    with pytest.raises(ClientError, match="Unable to verify secret hash"):
        refresh(email)
    assert "AuthenticationResult" in refresh(subject)


def signed_up(cognito: Any, pool: str, client_id: str, email: str, password: str = PASSWORD) -> str:
    subject: str = cognito.sign_up(
        ClientId=client_id,
        Username=email,
        Password=password,
        SecretHash=ClientSecret(pool, client_id, cognito).hash_for(email),
        UserAttributes=[{"Name": "email", "Value": email}],
    )["UserSub"]
    return subject


def test_a_code_is_good_once_for_its_purpose_and_its_time() -> None:
    now = [0.0]
    codes = Codes(clock=lambda: now[0])
    code = codes.issue(Purpose.PASSWORD)
    with pytest.raises(ExpiredError):
        codes.redeem(Purpose.SIGN_UP, code)
    with pytest.raises(MismatchError):
        codes.redeem(Purpose.PASSWORD, wrong(code))
    codes.redeem(Purpose.PASSWORD, code)
    with pytest.raises(ExpiredError):
        codes.redeem(Purpose.PASSWORD, code)


@pytest.mark.parametrize(
    ("purpose", "hours"), [(Purpose.SIGN_UP, 24), (Purpose.PASSWORD, 1), (Purpose.EMAIL, 24)]
)
def test_a_code_ends(purpose: Purpose, hours: int) -> None:
    now = [0.0]
    codes = Codes(clock=lambda: now[0])
    code = codes.issue(purpose)
    now[0] = hours * HOUR
    with pytest.raises(ExpiredError):
        codes.redeem(purpose, code)
    now[0] -= 1
    codes.redeem(purpose, code)


def test_a_mail_of_either_interface_is_shown_to_who_asks_for_its_reader(endpoint: str) -> None:
    both, plain = client("sesv2", endpoint), client("ses", endpoint)
    provision_mail(both, MAIL_FROM)
    provision_mail(both, MAIL_FROM)
    body = {"Text": {"Data": "Plain text"}, "Html": {"Data": "<p>Markup</p>"}}
    simple = {"Subject": {"Data": "Second"}, "Body": body}
    both.send_email(
        FromEmailAddress=MAIL_FROM,
        Destination={"ToAddresses": ["grace@example.com"], "CcAddresses": ["alan@example.com"]},
        Content={"Simple": simple},
    )
    plain.send_email(
        Source=MAIL_FROM,
        Destination={"ToAddresses": ["grace@example.com"]},
        Message={"Subject": {"Data": "First"}, "Body": {"Text": {"Data": "Older interface"}}},
    )
    raw = EmailMessage()
    raw["From"], raw["To"], raw["Subject"] = MAIL_FROM, "grace@example.com", "Third"
    raw.set_content("Grüße")
    both.send_email(Content={"Raw": {"Data": raw.as_bytes()}})
    mails = outbox_mails(endpoint, "?to=grace@example.com")
    assert [(each["subject"], each["text"].strip()) for each in mails] == [
        ("Second", "Plain text"),
        ("First", "Older interface"),
        ("Third", "Grüße"),
    ]
    assert {*mails[0]} == {"to", "subject", "text", "at", "headers"}
    assert [each["subject"] for each in outbox_mails(endpoint, "?to=alan@example.com")] == ["Second"]
    assert outbox_mails(endpoint, "?to=stranger@example.com") == []
    assert [each for each in outbox_mails(endpoint) if each["to"] == "grace@example.com"] == mails


def test_ses_sends_for_no_unverified_sender(endpoint: str) -> None:
    with pytest.raises(ClientError, match="not verified"):
        client("sesv2", endpoint).send_email(
            FromEmailAddress="stranger@example.com",
            Destination={"ToAddresses": ["unasked@example.com"]},
            Content={"Simple": {"Subject": {"Data": "S"}, "Body": {"Text": {"Data": "T"}}}},
        )
    assert outbox_mails(endpoint, "?to=unasked@example.com") == []


def test_the_outbox_keeps_the_newest() -> None:
    outbox = Outbox()
    for number in range(MAX_KEPT + 5):
        outbox.put("ada@example.com", str(number), "")
    mails = outbox.mails()
    assert len(mails) == MAX_KEPT
    assert (mails[0].subject, mails[-1].subject) == ("5", str(MAX_KEPT + 4))
