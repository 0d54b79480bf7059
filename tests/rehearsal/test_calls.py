"""How the proxy describes a request and its response."""

import pytest

from rehearsal.calls import API, call_of

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=ASIA123/20261129/us-east-1/{service}/aws4_request, "
    "SignedHeaders=host, Signature=00"
)
DENIED = b'{"__type": "AccessDeniedException", "Message": "x is not authorized to perform: kms:Decrypt"}'


def headers(service: str, **more: str) -> dict[str, str]:
    return {"host": "127.0.0.1:1", "authorization": SIGNED.format(service=service), **more}


def test_a_request_to_the_api_is_no_call_of_a_service() -> None:
    call = call_of("POST", "/v1/drain?wait=true", {"host": "0a1b2c3d.execute-api.localhost:1"}, 200, b"")
    assert (call.service, call.action) == (API, "POST /v1/drain")


def test_a_call_has_the_service_and_caller_of_its_signature() -> None:
    target = {"x-amz-target": "DynamoDB_20120810.GetItem"}
    call = call_of("POST", "/", headers("dynamodb", **target), 200, b"{}")
    assert (call.service, call.action, call.caller, call.denied) == ("dynamodb", "GetItem", "ASIA123", "")


def test_a_presigned_url_has_them_in_its_query() -> None:
    path = "/bucket/key?X-Amz-Credential=ASIA9%2F20261129%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0"
    call = call_of("PUT", path, {"host": "127.0.0.1:1"}, 200, b"")
    assert (call.service, call.caller) == ("s3", "ASIA9")


@pytest.mark.parametrize("status", [400, 403])
def test_a_denied_call_has_the_reason(status: int) -> None:
    call = call_of("POST", "/", headers("kms"), status, DENIED)
    assert call.denied == "x is not authorized to perform: kms:Decrypt"


def test_s3_denies_in_xml() -> None:
    content = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    assert call_of("PUT", "/b/k", headers("s3"), 403, content).denied == "Access Denied"


def test_a_role_that_does_not_trust_us_is_not_a_denied_call_and_a_missing_permission_is() -> None:
    denial = "User: a/b is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::0:role/x"
    missing = f"{denial} because no identity-based policy allows the sts:AssumeRole action"
    denied = [
        call_of(
            "POST",
            "/",
            headers("sts"),
            403,
            f"<Error><Code>AccessDenied</Code><Message>{each}</Message>".encode(),
        )
        for each in (denial, missing)
    ]
    assert [each.denied for each in denied] == ["", missing]


def test_a_wrong_password_at_cognito_is_not_a_denied_call() -> None:
    content = b'{"__type": "NotAuthorizedException", "message": "Incorrect username or password."}'
    assert call_of("POST", "/", headers("cognito-idp"), 400, content).denied == ""


def test_two_keys_of_a_bucket_are_one_kind_of_call() -> None:
    one, other = (call_of("PUT", f"/bucket/{key}", headers("s3"), 200, b"") for key in ("a", "b"))
    assert one == other
