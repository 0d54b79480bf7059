"""Which KMS permissions through a service the rehearsal misses in a role's policies."""

from typing import Any

import pytest

from rehearsal.at_rest import _faults, is_permitted

KEY = "arn:aws:kms:us-east-1:0:key/at-rest"
THROUGH_S3 = "s3.us-east-1.amazonaws.com"


def statement(*actions: str, via: str = THROUGH_S3, resource: str = KEY, **changes: Any) -> dict[str, Any]:
    made = {
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": resource,
        "Condition": {"StringEquals": {"kms:ViaService": via}},
    }
    return {**made, **changes}


READ = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::staging/*"}
WRITE = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::staging/*"}
ITEM = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "arn:aws:dynamodb:::table/x"}


def test_a_role_that_may_use_the_key_through_each_service_has_no_fault() -> None:
    keys = [statement("kms:Decrypt"), statement("kms:Decrypt", via="dynamodb.us-east-1.amazonaws.com")]

    assert list(_faults("sync", [READ, ITEM, *keys], KEY)) == []
    assert list(_faults("sync", [], KEY)) == []


@pytest.mark.parametrize(
    ("keys", "missing"),
    [
        ([], ["kms:Decrypt"]),
        ([statement("kms:GenerateDataKey")], ["kms:Decrypt"]),
        ([statement("kms:Decrypt", via="sqs.us-east-1.amazonaws.com")], ["kms:Decrypt"]),
        ([statement("kms:Decrypt", resource="arn:aws:kms:us-east-1:0:key/another")], ["kms:Decrypt"]),
        ([statement("kms:Decrypt", Effect="Deny")], ["kms:Decrypt"]),
    ],
)
def test_a_role_that_reads_objects_without_their_key_is_found(keys: Any, missing: list[str]) -> None:
    faults = list(_faults("sync", [READ, *keys], KEY))

    assert faults == [f"sync may not {each} through s3, whose data are encrypted" for each in missing]


def test_a_writer_also_needs_a_data_key() -> None:
    (fault,) = _faults("ingest", [WRITE, statement("kms:Decrypt")], KEY)

    assert "kms:GenerateDataKey" in fault


def test_a_statement_without_a_condition_is_for_every_service() -> None:
    assert is_permitted([statement("kms:Decrypt", Condition={})], "kms:Decrypt", KEY, THROUGH_S3)
