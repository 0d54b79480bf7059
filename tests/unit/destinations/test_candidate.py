"""What a customer may send as a destination, and whose secrets it then has."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.destinations.candidate import candidate
from functions.shared.byoc.destination import AccessKey, CustomerRole
from functions.shared.byoc.destination_store import Destination
from functions.shared.errors import HttpError
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

ACME = TenantId("acme")
EXTERNAL_ID = "0123456789abcdef"
SECRETS = ("AKIACANARY0000000001", "canary-secret-key", "canary-user", "canary-password")


def body(**changes: Any) -> dict[str, Any]:
    """A whole body; `changes` by path with `__` for the dot, None to leave a field out."""
    fields: dict[str, Any] = {
        "bucket": {
            "name": "acme-logs",
            "region": "eu-central-1",
            "access_key_id": SECRETS[0],
            "secret_access_key": SECRETS[1],
        },
        "clickhouse": {
            "host": "ch.acme.example",
            "user": SECRETS[2],
            "password": SECRETS[3],
            "database": "logs",
        },
    }
    for path, value in changes.items():
        *parents, name = path.split("__")
        place = fields[parents[0]] if parents else fields
        if value is None:
            place.pop(name, None)
        else:
            place[name] = value
    return fields


def read(stored: Destination | None = None, **changes: Any) -> Destination:
    return candidate(json.dumps(body(**changes)).encode(), ACME, 1, stored, lambda: EXTERNAL_ID)


def refused(stored: Destination | None = None, **changes: Any) -> HttpError:
    with pytest.raises(HttpError) as caught:
        read(stored, **changes)
    refusal = caught.value
    assert refusal.__cause__ is None
    assert refusal.__context__ is None
    assert not any(secret in f"{refusal.message} {refusal.details}" for secret in SECRETS)
    return refusal


def key_of(read_back: Destination) -> AccessKey:
    assert isinstance(read_back.access, AccessKey)
    return read_back.access


WITHOUT_SECRETS = {
    "bucket__access_key_id": None,
    "bucket__secret_access_key": None,
    "clickhouse__user": None,
    "clickhouse__password": None,
}


ROLE_ARN = "arn:aws:iam::111122223333:role/byoc-astralog"
WITH_ROLE = {"bucket__access_key_id": None, "bucket__secret_access_key": None, "bucket__role_arn": ROLE_ARN}


def test_a_role_has_the_tenants_external_id_and_no_key() -> None:
    assert read(**WITH_ROLE).access == CustomerRole(ROLE_ARN, EXTERNAL_ID)


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "byoc-astralog",
        "arn:aws:iam::111122223333:role/Admin",
        "arn:aws:iam::111122223333:user/byoc-astralog",
        "arn:aws:iam::11112222333:role/byoc-astralog",
        "arn:aws:iam::*:role/byoc-astralog",
        "arn:aws:iam::111122223333:role/byoc-astralog*",
        "arn:aws:iam::111122223333:role/x/byoc-astralog",
        f"{ROLE_ARN}\n",
        7,
    ],
)
def test_a_role_needs_an_arn_with_our_prefix(arn: Any) -> None:
    refusal = refused(**{**WITH_ROLE, "bucket__role_arn": arn})
    assert (refusal.code, refusal.details) == ("invalid_bucket", {"field": "bucket.role_arn"})


@pytest.mark.parametrize(
    "arn", [f"{ROLE_ARN}-logs", "arn:aws-us-gov:iam::111122223333:role/byoc-astralog/eu/logs"]
)
def test_a_role_may_have_a_path_and_a_longer_name(arn: str) -> None:
    assert read(**{**WITH_ROLE, "bucket__role_arn": arn}).access == CustomerRole(arn, EXTERNAL_ID)


@pytest.mark.parametrize("name", ["access_key_id", "secret_access_key"])
def test_a_role_and_an_access_key_exclude_each_other(name: str) -> None:
    refusal = refused(**{**WITH_ROLE, f"bucket__{name}": "x"})
    assert refusal.details == {"field": "bucket.role_arn"}
    assert "bucket.access_key_id" in refusal.message


def test_a_role_is_for_s3_of_aws_only() -> None:
    """Another address would get the session's token."""
    assert refused(**WITH_ROLE, bucket__endpoint="https://s3.acme.example").details == {
        "field": "bucket.endpoint"
    }


def test_a_customer_cannot_choose_an_external_id() -> None:
    refusal = refused(**WITH_ROLE, bucket__external_id="of-globex")
    assert refusal.code == "unknown_field"
    assert "of-globex" not in refusal.message


def test_a_stored_role_stays_unless_a_key_or_an_address_is_sent() -> None:
    stored = read(**WITH_ROLE)
    left_out = {"bucket__access_key_id": None, "bucket__secret_access_key": None}

    assert read(stored, **left_out, bucket__name="other-logs").access == stored.access
    older = replace(stored, access=CustomerRole(ROLE_ARN, "another id"))
    assert read(older, **left_out).access == CustomerRole(ROLE_ARN, EXTERNAL_ID)
    assert read(stored).access == read().access
    assert refused(stored, **left_out, bucket__endpoint="https://s3.acme.example").details == {
        "field": "bucket.access_key_id"
    }
    assert refused(stored, **{**left_out, "bucket__access_key_id": "x"}).details == {
        "field": "bucket.secret_access_key"
    }


def test_a_role_in_the_place_of_a_key_leaves_no_key() -> None:
    changed = read(read(), **WITH_ROLE)
    assert changed.access == CustomerRole(ROLE_ARN, EXTERNAL_ID)
    assert refused(changed, **WITHOUT_SECRETS, bucket__endpoint="https://s3.acme.example").details == {
        "field": "bucket.access_key_id"
    }


def test_what_is_left_out_has_its_default() -> None:
    read_back = read()
    assert (read_back.warehouse.port, read_back.warehouse.secure) == (8443, True)
    assert (read_back.endpoint, read_back.retention_days) == (None, 3650)
    assert key_of(read_back).key_id == SecretText(SECRETS[0])
    assert not any(secret in repr(read_back) for secret in SECRETS)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("bucket.name", "A"),
        ("bucket.name", 7),
        ("bucket.name", None),
        ("bucket.region", "eu central 1"),
        ("bucket.endpoint", ""),
        ("bucket.access_key_id", "with space"),
        ("bucket.access_key_id", 7),
        ("bucket.access_key_id", None),
        ("bucket.secret_access_key", "line\nbreak"),
        ("bucket.secret_access_key", "ключ"),
        ("clickhouse.host", ""),
        ("clickhouse.port", 0),
        ("clickhouse.port", 65536),
        ("clickhouse.port", "8443"),
        ("clickhouse.secure", "yes"),
        ("clickhouse.user", "a:b"),
        ("clickhouse.user", ""),
        ("clickhouse.password", "nul \x00"),
        ("clickhouse.password", None),
        ("clickhouse.database", "system"),
        ("clickhouse.database", "logs; DROP DATABASE logs"),
        ("clickhouse.database", "`"),
        ("retention_days", 0),
        ("retention_days", 3651),
        ("retention_days", 1.5),
    ],
)
def test_a_bad_field_is_named_by_its_path(path: str, value: Any) -> None:
    refusal = refused(**{path.replace(".", "__"): value})
    assert (refusal.status, refusal.code) == (400, f"invalid_{path.partition('.')[0]}")
    assert refusal.details == {"field": path}
    assert refusal.message.startswith(f"'{path}' ")


@pytest.mark.parametrize("path", ["bucket", "clickhouse", "body"])
def test_an_unknown_field_is_refused_without_quoting_it(path: str) -> None:
    place = "" if path == "body" else f"{path}__"
    refusal = refused(**{f"{place}canary-password": 1})
    assert refusal.details == {"field": path}
    assert refusal.code == "unknown_field"
    where = "the body" if path == "body" else f"'{path}'"
    assert f"There is an unknown field in {where}. Allowed fields: " in refusal.message


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_object_is_refused(content: bytes) -> None:
    with pytest.raises(HttpError) as caught:
        candidate(content, ACME, 1, None, lambda: EXTERNAL_ID)
    assert caught.value.status == 400


def test_secrets_that_are_left_out_stay_as_they_are() -> None:
    changed = read(read(), clickhouse__database="other", **WITHOUT_SECRETS)
    assert changed.warehouse.database == "other"
    assert changed.warehouse.password == SecretText(SECRETS[3])
    assert (changed.warehouse.user, key_of(changed).secret) == (SECRETS[2], SecretText(SECRETS[1]))


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"clickhouse__host": "evil.example"}, "clickhouse.user"),
        ({"clickhouse__port": 443}, "clickhouse.user"),
        ({"clickhouse__secure": False}, "clickhouse.user"),
        ({"clickhouse__user": "somebody-else"}, "clickhouse.password"),
        ({"clickhouse__host": "evil.example", "clickhouse__user": "x"}, "clickhouse.password"),
        ({"bucket__endpoint": "https://evil.example"}, "bucket.access_key_id"),
        ({"bucket__access_key_id": "AKIAOTHER"}, "bucket.secret_access_key"),
    ],
)
def test_a_stored_secret_goes_nowhere_but_where_it_was_given_for(change: Any, missing: str) -> None:
    assert refused(read(), **{**WITHOUT_SECRETS, **change}).details == {"field": missing}


def test_a_secret_alone_can_be_new() -> None:
    kept = {**WITHOUT_SECRETS, "clickhouse__password": "new", "bucket__secret_access_key": "newer"}
    changed = read(read(), **kept)
    assert changed.warehouse.password == SecretText("new")
    assert key_of(changed) == AccessKey(SecretText(SECRETS[0]), SecretText("newer"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(SECRETS),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["name", "user"]), inner),
    max_leaves=5,
)
PLACES = st.sampled_from(
    [f"bucket__{name}" for name in body()["bucket"]]
    + [f"clickhouse__{name}" for name in body()["clickhouse"]]
    + ["bucket", "clickhouse", "retention_days", "bucket__endpoint", "clickhouse__port"]
)


@given(PLACES, JSON)
def test_any_body_is_a_candidate_or_a_rejection_without_a_secret(place: str, value: Any) -> None:
    content = json.dumps(body(**{place: value})).encode()
    planted = [*SECRETS]
    try:
        reported = repr(candidate(content, ACME, 1, None, lambda: EXTERNAL_ID))
    except HttpError as refusal:
        reported = f"{refusal.status} {refusal.message} {refusal.details}"
    else:
        # What is given as a region or a host is shown as one.
        planted = [secret for secret in SECRETS if secret != value]
    assert not any(secret in reported for secret in planted)
