"""SES reports the outcome of a mail to SNS and SNS to a queue, and no other service may write to either."""

from typing import Any

import pytest

from infra.topology import MAIL_SETS, MailSet
from tests.infra.synthesized import Templates

every_set = pytest.mark.parametrize("spec", MAIL_SETS, ids=lambda spec: spec.name)


@every_set
def test_bounces_and_complaints_reach_the_topic(templates: Templates, spec: MailSet) -> None:
    set_id = _of(templates, "AWS::SES::ConfigurationSet", f"{spec.name}mail")
    (destination,) = templates.properties("AWS::SES::ConfigurationSetEventDestination")

    assert destination["ConfigurationSetName"] == {"Ref": set_id}
    assert destination["EventDestination"]["MatchingEventTypes"] == [event.lower() for event in spec.events]
    assert destination["EventDestination"]["SnsDestination"] == {"TopicARN": {"Ref": _topic(templates, spec)}}
    assert {"BOUNCE", "COMPLAINT"} <= set(spec.events)


@every_set
def test_the_operator_gets_the_sets_name(templates: Templates, spec: MailSet) -> None:
    output = templates.data["Outputs"][f"{spec.name.title()}MailSet"]["Value"]

    assert output == {"Ref": _of(templates, "AWS::SES::ConfigurationSet", f"{spec.name}mail")}


@every_set
def test_ses_suppresses_addresses_that_bounced_or_complained(templates: Templates, spec: MailSet) -> None:
    set_id = _of(templates, "AWS::SES::ConfigurationSet", f"{spec.name}mail")
    deployed = templates.resources("AWS::SES::ConfigurationSet")[set_id]["Properties"]

    assert deployed["SuppressionOptions"] == {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]}


@every_set
def test_ses_alone_publishes_for_this_set_and_this_account(templates: Templates, spec: MailSet) -> None:
    topic = _topic(templates, spec)
    (policy,) = (
        each for each in templates.properties("AWS::SNS::TopicPolicy") if {"Ref": topic} in each["Topics"]
    )
    (allowed,) = _allowed(policy)
    only = {name.lower(): value for name, value in allowed["Condition"]["StringEquals"].items()}

    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "ses.amazonaws.com"}, "sns:Publish")
    assert only["aws:sourceaccount"] == {"Ref": "AWS::AccountId"}
    assert only["aws:sourcearn"]["Fn::Join"][1][-2:] == [
        ":configuration-set/",
        {"Ref": _of(templates, "AWS::SES::ConfigurationSet", f"{spec.name}mail")},
    ]


@every_set
def test_the_topic_alone_sends_to_the_queue(templates: Templates, spec: MailSet) -> None:
    topic, queue = _topic(templates, spec), templates.store("queue", spec.feedback_queue)[0]
    (policy,) = (
        each for each in templates.properties("AWS::SQS::QueuePolicy") if {"Ref": queue} in each["Queues"]
    )
    (allowed,) = _allowed(policy)
    (subscription,) = templates.properties("AWS::SNS::Subscription")

    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "sns.amazonaws.com"}, "sqs:SendMessage")
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": topic}}}
    assert subscription["TopicArn"] == {"Ref": topic}
    assert subscription["Endpoint"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert "RawMessageDelivery" not in subscription, "the consumer reads the envelope"


@every_set
def test_addresses_on_their_way_are_encrypted(templates: Templates, spec: MailSet) -> None:
    topic = templates.resources("AWS::SNS::Topic")[_topic(templates, spec)]["Properties"]
    key_id = topic["KmsMasterKeyId"]["Fn::GetAtt"][0]
    key = templates.resources("AWS::KMS::Key")[key_id]["Properties"]
    ours = [
        each
        for each in key["KeyPolicy"]["Statement"]
        if each["Principal"] == {"Service": "ses.amazonaws.com"}
    ]

    assert [sorted(each["Action"]) for each in ours] == [["kms:Decrypt", "kms:GenerateDataKey"]]
    assert ours[0]["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def _topic(templates: Templates, spec: MailSet) -> str:
    return _of(templates, "AWS::SNS::Topic", f"{spec.name}mail")


def _of(templates: Templates, kind: str, prefix: str) -> str:
    (found,) = (name for name in templates.resources(kind) if name.startswith(prefix))
    return found


def _allowed(policy: dict[str, Any]) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return [each for each in statements if each["Effect"] == "Allow"]
