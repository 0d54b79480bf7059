"""SES's delivery events, on the same path as in the cloud: an SNS topic, then our queue."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3

from infra.topology import MAIL_SETS
from local.mail import Mail
from local.naming import CREDENTIALS, REGION, physical, queue_arn, topic_arn

_EVENTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "bounce": lambda to: _bounce("Permanent", "General", "5.1.1", to),
    "transient_bounce": lambda to: _bounce("Transient", "MailboxFull", "4.2.2", to),
    "complaint": lambda to: {
        "eventType": "Complaint",
        "complaint": {"complainedRecipients": [{"emailAddress": to}], "complaintFeedbackType": "abuse"},
    },
}


def provision_feedback(sesv2: Any, sns: Any) -> None:
    """Create the topology's mail sets: configuration set, topic, subscription. Idempotent."""
    there = {str(each) for each in sesv2.list_configuration_sets()["ConfigurationSets"]}
    for spec in MAIL_SETS:
        name = physical(spec.name)
        if name not in there:
            sesv2.create_configuration_set(ConfigurationSetName=name)
        topic = sns.create_topic(Name=name)["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn(spec.feedback_queue))


def event_publisher(aws_endpoint: str) -> Callable[[Mail, str], None]:
    """A function that publishes SES's event for a mail; KeyError for an unknown event or mail set."""

    def publish_event(mail: Mail, event: str) -> None:
        message = {**_EVENTS[event](mail.to), "mail": _about(mail)}
        arn = {physical(spec.name): topic_arn(spec.name) for spec in MAIL_SETS}[mail.mail_set]
        _sns(aws_endpoint).publish(TopicArn=arn, Message=json.dumps(message))

    return publish_event


def _sns(aws_endpoint: str) -> Any:
    return boto3.client(
        "sns",
        endpoint_url=aws_endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def _bounce(kind: str, subkind: str, status: str, to: str) -> dict[str, Any]:
    bounced = {"emailAddress": to, "action": "failed", "status": status}
    return {
        "eventType": "Bounce",
        "bounce": {"bounceType": kind, "bounceSubType": subkind, "bouncedRecipients": [bounced]},
    }


def _about(mail: Mail) -> dict[str, Any]:
    return {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "destination": [mail.to],
        "headers": [{"name": name, "value": value} for name, value in mail.headers.items()],
        "commonHeaders": {"to": [mail.to], "subject": mail.subject},
        "tags": {name: [value] for name, value in mail.tags.items()},
    }
