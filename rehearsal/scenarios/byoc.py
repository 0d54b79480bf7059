"""docs/byoc.md: a customer's own bucket and ClickHouse."""

import json
from datetime import timedelta
from typing import Any

from rehearsal.api_client import expect, wait_for
from rehearsal.customer import Customer
from rehearsal.deployed import Deployed
from rehearsal.scenarios.plans import buy
from rehearsal.site import CUSTOMERS_USER, REGION

PROVES = "A BYOC customer's logs and files are in its own bucket and ClickHouse, and none of them is with us."
FIVE_MINUTES = timedelta(minutes=5)
SECONDS = 90.0
PREFIXES = ("staged", "idempotency", "quarantine", "dropin", "uploads", "exports")


def run(here: Deployed) -> None:
    carol = here.joins("carol")
    carol.has_own_clickhouse = True
    bucket = carol.mark
    configure(here, carol, bucket_and_user(here, bucket))
    buy(here, carol, "byoc")
    carol.send(4, "byoc")
    _notify_of_files(here, bucket)
    _drop_file(here, carol, bucket)
    wait_for("the file's rows are found", lambda: len(carol.find()) == len(carol.sent), SECONDS)
    carol.finds_exactly(carol.sent)
    stored = here.stored_at_the_customer(carol.tenant)
    expect(stored == len(carol.sent), f"the customer's ClickHouse has {stored} rows of {len(carol.sent)}")
    none_with_us(here, carol)
    here.schedules.forward(FIVE_MINUTES)
    carol.finds_exactly(carol.sent)


def bucket_and_user(here: Deployed, bucket: str) -> dict[str, Any]:
    """The bucket, its policy, an IAM user with the documented policy: the body of PUT /v1/destination."""
    s3, iam = here.cloud.client("s3"), here.cloud.client("iam")
    s3.create_bucket(Bucket=bucket)
    arn = f"arn:aws:s3:::{bucket}"
    deny = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }  # fmt: skip
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    allow = [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn},
        {
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            "Resource": [f"{arn}/{prefix}/*" for prefix in PREFIXES],
        },
    ]
    iam.create_user(UserName=bucket)
    policy = json.dumps({"Version": "2012-10-17", "Statement": allow})
    iam.put_user_policy(UserName=bucket, PolicyName="astralog", PolicyDocument=policy)
    key = iam.create_access_key(UserName=bucket)["AccessKey"]
    return {
        "bucket": {
            "name": bucket,
            "region": REGION,
            "access_key_id": key["AccessKeyId"],
            "secret_access_key": key["SecretAccessKey"],
        },
        "clickhouse": here.site.clickhouse_address(CUSTOMERS_USER),
    }


def configure(here: Deployed, carol: Customer, destination: dict[str, Any]) -> None:
    early = here.api.ask("POST /v1/billing/checkout", carol.token, {"plan": "byoc"})
    expect(early.status == 409, f"the plan was sold without a destination: {early.status}")
    wrong = {**destination["bucket"], "secret_access_key": "not the secret"}
    tested = here.api.ask("PUT /v1/destination", carol.token, {**destination, "bucket": wrong})
    expect(tested.status == 400, f"a wrong secret was answered with {tested.status}")
    here.api.done("PUT /v1/destination", carol.token, destination)
    shown = json.dumps(here.api.done("GET /v1/destination", carol.token))
    for secret in (destination["bucket"]["secret_access_key"], destination["clickhouse"]["password"]):
        expect(secret not in shown, "GET /v1/destination shows a credential")
    ada, _bob = here.two
    status = here.api.ask("GET /v1/destination", ada.token).status
    expect(status == 404, f"another account's destination was answered with {status}")


def _notify_of_files(here: Deployed, bucket: str) -> None:
    """Let the customer's bucket notify our queue, as docs/byoc.md says."""
    configuration = {
        "QueueArn": here.cloud.outputs["DroppedByocQueueArn"],
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "dropin/"}]}},
    }
    here.cloud.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [configuration]}
    )


def _drop_file(here: Deployed, carol: Customer, bucket: str) -> None:
    lines = carol.lines(5, "own file")
    body = "".join(json.dumps({"message": line}) + "\n" for line in lines).encode()
    settings = here.api.done("GET /v1/uploads/settings", carol.token)
    expect(settings["bucket"] == bucket, f"files are awaited in {settings['bucket']}")
    here.cloud.client("s3").put_object(Bucket=bucket, Key=f"{settings['prefix']}own.ndjson", Body=body)
    carol.sent += lines


def none_with_us(here: Deployed, carol: Customer) -> None:
    """No row in our ClickHouse and no object in any bucket of our stacks."""
    expect(here.stored(carol.tenant) == 0, "our ClickHouse has rows of the BYOC customer")
    for name in here.cloud.named("AWS::S3::Bucket"):
        ours = [key for key in here.cloud.keys(name) if carol.tenant in key]
        expect(not ours, f"our bucket {name} has objects of the BYOC customer: {ours[:3]}")
