"""CloudTrail, ALB, VPC Flow Logs and CloudFront, in the layout of AWS's documentation."""

import gzip
import json
from typing import Any

import pytest

from tests.unit.uploads.world import World

CLOUDTRAIL = {
    "eventVersion": "1.08",
    "userIdentity": {"type": "IAMUser", "userName": "Mary", "accountId": "888888888888"},
    "eventTime": "2023-07-19T21:35:03Z",
    "eventSource": "iam.amazonaws.com",
    "eventName": "CreateUser",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "192.0.2.0",
    "requestParameters": {"userName": "Richard", "maxItems": 10},
    "responseElements": None,
    "readOnly": False,
    "eventID": "0c70f2b1",
}
DENIED = {**CLOUDTRAIL, "errorCode": "AccessDenied", "errorMessage": "User is not authorized", "eventID": "2"}

ALB = (
    "https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 "
    '0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" '
    "ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 "
    "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2 "
    '"Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "arn:aws:acm:us-east-2:1:certificate/1" 1 '
    '2018-07-02T22:22:48.364000Z "authenticate,forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1234abcd'
)
ALB_FAILED = (
    "http 2018-11-30T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 - "
    '-1 -1 -1 502 - 34 366 "GET http://www.example.com:80/a b\\"c HTTP/1.1" "curl \\"odd\\"" - - '
    "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2 "
    '"Root=1-58337364-23a8c76965a2ef7629b185e3" "-" "-" 0 2018-11-30T22:22:48.364000Z "forward" "-" '
    '"LambdaInvalidResponse" "-" "-" "-" "-" TID_1 "new-column"'
)

FLOW_HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end "
    "action log-status"
)
FLOWS = (
    "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 "
    "1418530070 ACCEPT OK",
    "2 123456789010 eni-1235b8ca123456789 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 "
    "REJECT OK",
    "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA",
)

CLOUDFRONT = (
    "#Version: 1.0\n"
    "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
    "cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol "
    "cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type "
    "cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte "
    "x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end\n"
    "2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\t"
    "Mozilla/5.0%20(Windows%20NT%2010.0)\t-\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ"
    "==\td111111abcdef8.cloudfront.net\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\t"
    "HTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-\n"
    "2019-12-04\t21:02:32\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/gone\t404\t-\t-\t-\t-\t"
    "Error\tx\td111111abcdef8.cloudfront.net\thttps\t23\t0.002\t-\t-\t-\tError\tHTTP/2.0\t-\t-\t1\t0.001\t"
    "Error\t-\t-\t-\t-\n"
)


def dropped(here: World, body: str, expected: str) -> list[dict[str, Any]]:
    """The rows of `body`, compressed as AWS delivers it."""
    shown = here.drop(f"AWSLogs/{expected}.gz", gzip.compress(body.encode()))
    assert (shown["state"], shown["format"]) == ("done", expected)
    return here.rows()


@pytest.mark.parametrize("indent", [None, 2])
def test_cloudtrail(here: World, indent: int | None) -> None:
    fine, denied = dropped(here, json.dumps({"Records": [CLOUDTRAIL, DENIED]}, indent=indent), "cloudtrail")

    assert fine["timestamp"] == "2023-07-19T21:35:03.000000000Z"
    assert (fine["service"], fine["level"]) == ("iam.amazonaws.com", "info")
    assert fine["message"] == "CreateUser iam.amazonaws.com"
    rest = {name: value for name, value in CLOUDTRAIL.items() if name not in ("eventTime",)}
    assert fine["metadata"] == rest
    assert denied["level"] == "error"
    assert denied["message"].endswith("AccessDenied User is not authorized")


def test_a_cloudtrail_file_of_thousands_of_records(here: World) -> None:
    records = [{**CLOUDTRAIL, "eventID": str(number)} for number in range(5000)]
    rows = dropped(here, json.dumps({"Records": records}), "cloudtrail")
    assert [row["metadata"]["eventID"] for row in rows] == [str(number) for number in range(5000)]


def test_alb(here: World) -> None:
    fine, failed = dropped(here, f"{ALB}\n{ALB_FAILED}\n", "alb")

    assert fine["timestamp"] == "2018-07-02T22:23:00.186641000Z"
    assert (fine["service"], fine["level"]) == ("app/my-loadbalancer/50dc6c495c0c9188", "info")
    assert fine["message"] == "GET https://www.example.com:443/ HTTP/1.1 200"
    assert fine["trace_id"] == "1-58337281-1d84f3d73c47ec4e58577259"
    metadata = fine["metadata"]
    assert (metadata["request_processing_time"], metadata["elb_status_code"]) == (0.086, 200)
    assert (metadata["target"], metadata["target_status_code_list"]) == ("10.0.0.1:80", "200")
    assert metadata["conn_trace_id"] == "TID_1234abcd"
    assert "redirect_url" not in metadata
    assert (failed["level"], failed["metadata"]["error_reason"]) == ("error", "LambdaInvalidResponse")
    assert failed["metadata"]["request_processing_time"] == -1
    assert failed["metadata"]["transformed_host"] == "new-column"


@pytest.mark.parametrize("header", [FLOW_HEADER, None])
def test_vpc_flow_logs(here: World, header: str | None) -> None:
    lines = [header, *FLOWS] if header else FLOWS
    accepted, rejected, nothing = dropped(here, "\n".join(filter(None, lines)), "vpc_flow")

    assert accepted["timestamp"] == "2014-12-14T04:06:50.000000000Z"
    assert accepted["message"] == "ACCEPT tcp 172.31.16.139:20641 -> 172.31.16.21:22"
    assert (accepted["service"], accepted["level"]) == ("vpc-flow-logs", "info")
    assert accepted["metadata"]["bytes"] == 4249
    assert accepted["metadata"]["account-id"] == "123456789010"
    assert rejected["level"] == "warn"
    assert nothing["message"] == "NODATA eni-1235b8ca123456789"
    assert "srcaddr" not in nothing["metadata"]


def test_vpc_flow_logs_with_columns_of_ones_own(here: World) -> None:
    header, line = (
        "vpc-id start srcaddr dstaddr pkt-srcaddr action",
        "vpc-1 1418530010 10.0.0.1 10.0.0.2 - REJECT",
    )
    body = f"{header}\n{line}\n"
    (row,) = dropped(here, body, "vpc_flow")
    assert row["timestamp"] == "2014-12-14T04:06:50.000000000Z"
    assert row["metadata"]["vpc-id"] == "vpc-1"


@pytest.mark.parametrize("start", ["NaN", "-", "Infinity", "0x12"])
def test_a_start_that_is_no_time_harms_no_other_line(here: World, start: str) -> None:
    odd = FLOWS[0].replace("1418530010", start)
    rows = dropped(here, "\n".join([FLOW_HEADER, FLOWS[1], odd]), "vpc_flow")
    assert rows[0]["timestamp"].startswith("2014")
    assert rows[1]["timestamp"] == rows[1]["received_at"]


def test_vpc_flow_logs_of_newer_versions(here: World) -> None:
    body = (
        "srcaddr dstaddr start action ecs-task-id ecs-service-name reject-reason resource-id\n"
        "10.0.0.1 10.0.0.2 1418530010 REJECT 1dc5 web BPA -\n"
    )
    (row,) = dropped(here, body, "vpc_flow")
    assert (row["timestamp"], row["level"]) == ("2014-12-14T04:06:50.000000000Z", "warn")
    assert row["metadata"]["reject-reason"] == "BPA"


def test_cloudfront(here: World) -> None:
    fine, missing = dropped(here, CLOUDFRONT, "cloudfront")

    assert fine["timestamp"] == "2019-12-04T21:02:31.000000000Z"
    assert (fine["service"], fine["level"]) == ("d111111abcdef8.cloudfront.net", "info")
    assert fine["message"] == "GET d111111abcdef8.cloudfront.net/index.html 200"
    assert (fine["metadata"]["sc-bytes"], fine["metadata"]["time-taken"]) == (392, 0.001)
    assert fine["metadata"]["x-edge-location"] == "LAX1"
    assert missing["level"] == "warn"


def test_iis_speaks_w3c_with_blanks(here: World) -> None:
    body = (
        "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-01-01 00:00:00\n"
        "#Fields: date time s-ip cs-method cs-uri-stem sc-status time-taken\n"
        "2026-01-01 00:00:01 10.0.0.1 GET /a 500 15\n"
    )
    (row,) = dropped(here, body, "w3c")
    assert (row["timestamp"], row["level"]) == ("2026-01-01T00:00:01.000000000Z", "error")


def test_a_line_with_too_few_columns_is_rejected_and_listed(here: World) -> None:
    shown = here.drop("flow", "\n".join([FLOW_HEADER, FLOWS[0], "2 123 eni-1", FLOWS[1]]).encode())
    assert (shown["state"], shown["rows_stored"], shown["rows_refused"]) == ("partly", 2, 1)
    assert shown["refusals"] == [
        {"index": 1, "code": "ragged_row", "reason": "The line has 3 columns where 14 are named."}
    ]
