"""What stands between the internet and the service: access log, cost alarms, CloudFront, WAF, VPC."""

import json
import re
from typing import Any

import pytest

from functions.shared import client_address
from infra import perimeter, topology
from infra.choices import ChoiceError, from_context
from tests.infra.conftest import CHOICES, Synthesize
from tests.infra.synthesized import Properties, Templates, listed

DIGEST = "0123456789abcdef" * 4
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/1"
EDGE = {"edge_secret_sha256": DIGEST, "domain": "logs.example.org", "certificate_arn": CERTIFICATE}
ACL = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/astralog/1"
FIREWALL = {"firewall": "true", "requests_per_address": "5000"}
NETWORK = {"network": "true", "network_cidr": "10.9.0.0/20"}

PERSONAL_OR_SECRET = re.compile(
    r"identity|path|query|header|authorizer|userAgent|sourceIp|domain", re.IGNORECASE
)


def test_each_request_is_logged_without_path_query_address_or_header(templates: Templates) -> None:
    (stage,) = templates.properties("AWS::ApiGatewayV2::Stage")
    fields = json.loads(stage["AccessLogSettings"]["Format"])
    group = templates.points_at(stage["AccessLogSettings"]["DestinationArn"])

    assert {"$context.requestId", "$context.routeKey", "$context.status"} <= set(fields.values())
    assert [each for each in fields.values() if PERSONAL_OR_SECRET.search(each)] == []
    assert templates.resources("AWS::Logs::LogGroup")[group]["Properties"]["RetentionInDays"] == 14


def cost_alarm(templates: Templates, metric: str) -> Properties:
    (alarm,) = (
        each for each in templates.properties("AWS::CloudWatch::Alarm") if each.get("MetricName") == metric
    )
    return alarm


@pytest.mark.parametrize(("context", "dollars"), [({}, 10), (CHOICES, 2.5)], ids=["default", "chosen"])
def test_requests_alarm_at_the_chosen_dollars_a_day(
    synthesize: Synthesize, context: dict[str, str], dollars: float
) -> None:
    """A million requests cost a dollar."""
    alarm = cost_alarm(synthesize(context), "Count")

    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Sum", 86_400, 1)
    assert alarm["Threshold"] == dollars * 1_000_000
    assert len(alarm["AlarmActions"]) == 1


def test_lambda_alarms_before_the_largest_function_cost_the_chosen_dollars(templates: Templates) -> None:
    alarm = cost_alarm(templates, "Duration")
    largest = max(each["MemorySize"] for each in templates.properties("AWS::Lambda::Function"))
    dollars = alarm["Threshold"] / 1000 * largest / 1024 * 0.0000133334

    assert (alarm["Statistic"], alarm["Period"], "Dimensions" in alarm) == ("Sum", 86_400, False)
    assert dollars == pytest.approx(10, rel=0.001)


@pytest.mark.parametrize(("context", "warned"), [({}, True), (CHOICES, False)], ids=["default", "chosen"])
def test_a_deployment_warns_of_alarms_that_notify_no_person(
    synthesize: Synthesize, context: dict[str, str], *, warned: bool
) -> None:
    metadata = synthesize(context).folder / "AstraLogCompute.metadata.json"
    warnings = [
        entry["data"]
        for entries in json.loads(metadata.read_text()).values()
        for entry in entries
        if entry["type"] == "aws:cdk:warning"
    ]

    assert any("alarm topic has no subscriber" in each for each in warnings) is warned


def test_without_a_choice_there_is_no_cloudfront_no_firewall_and_no_network(templates: Templates) -> None:
    kinds = {
        each["Type"] for each in {**templates.data["Resources"], **templates.compute["Resources"]}.values()
    }

    assert not [each for each in kinds if re.match(r"AWS::(CloudFront|WAFv2|EC2)::", each)]
    settings = str(templates.properties("AWS::Lambda::Function"))
    assert "EDGE_SECRET" not in settings
    assert "VpcConfig" not in settings


@pytest.fixture(scope="module")
def edge(synthesize: Synthesize) -> Templates:
    return synthesize({**EDGE, "web_acl_arn": ACL})


def distribution(edge: Templates) -> Properties:
    config: Properties = edge.properties("AWS::CloudFront::Distribution")[0]["DistributionConfig"]
    return config


def test_cloudfront_caches_the_dashboards_assets_only_and_passes_every_method(edge: Templates) -> None:
    config = distribution(edge)
    behaviour = config["DefaultCacheBehavior"]

    (assets,) = config["CacheBehaviors"]
    assert assets["PathPattern"] == "/assets/*"
    assert assets["CachePolicyId"] == "658327ea-f89d-4fab-a63d-7e88639e58f6", "AWS's CachingOptimized"
    assert assets["ViewerProtocolPolicy"] == "https-only"
    assert "AllowedMethods" not in assets, "GET and HEAD, by default"
    assert behaviour["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "AWS's CachingDisabled"
    assert behaviour["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac", "all but Host"
    assert set(behaviour["AllowedMethods"]) == {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"}
    assert behaviour["ViewerProtocolPolicy"] == "https-only"
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert (config["Aliases"], config["WebACLId"]) == (["logs.example.org"], ACL)
    assert edge.properties("AWS::ApiGatewayV2::Api")
    assert not edge.properties("AWS::ApiGatewayV2::DomainName"), "the domain is CloudFront's"


def test_cloudfront_sends_a_secret_that_no_template_has(edge: Templates) -> None:
    (origin,) = distribution(edge)["Origins"]

    assert origin["OriginCustomHeaders"] == [
        {
            "HeaderName": "x-astralog-edge",
            "HeaderValue": "{{resolve:secretsmanager:astralog/edge:SecretString:::}}",
        }
    ]
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert origin["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]


def test_cloudfront_overwrites_the_header_with_the_viewers_address(edge: Templates) -> None:
    (function,) = edge.properties("AWS::CloudFront::Function")
    (association,) = distribution(edge)["DefaultCacheBehavior"]["FunctionAssociations"]

    assert "request.headers['x-astralog-viewer'] = { value: event.viewer.ip };" in function["FunctionCode"]
    assert association["EventType"] == "viewer-request"


def test_infrastructure_and_functions_agree_on_the_headers() -> None:
    ours = (perimeter.EDGE_HEADER, perimeter.VIEWER_HEADER)

    assert ours == (client_address.EDGE_HEADER, client_address.VIEWER_HEADER)
    assert perimeter.EDGE_SETTING in client_address.EdgeSettings.__annotations__


def test_every_function_that_answers_requests_recognises_cloudfront(edge: Templates) -> None:
    for spec in topology.FUNCTIONS:
        variables = edge.function(spec.handler)["Environment"]["Variables"]
        answers = bool(spec.routes) or spec.name == topology.AUTHORIZER
        assert variables.get("ASTRALOG_EDGE_SECRET_SHA256") == (DIGEST if answers else None), spec.name


def test_what_is_mailed_leads_to_cloudfronts_domain(edge: Templates) -> None:
    notifier = edge.function(topology.function("notifier").handler)

    assert notifier["Environment"]["Variables"]["ASTRALOG_API_ADDRESS"] == "https://logs.example.org"
    target = edge.compute["Outputs"]["DomainTarget"]["Value"]
    assert edge.compute["Resources"][target["Fn::GetAtt"][0]]["Type"] == "AWS::CloudFront::Distribution"


def test_responses_of_the_gateway_itself_get_security_headers_and_ours_stay(edge: Templates) -> None:
    (policy,) = edge.properties("AWS::CloudFront::ResponseHeadersPolicy")
    headers = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]

    assert headers.keys() == {
        "ContentSecurityPolicy", "ContentTypeOptions", "FrameOptions", "ReferrerPolicy",
        "StrictTransportSecurity",
    }  # fmt: skip
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] == 31_536_000
    assert {name for name, each in headers.items() if each["Override"]} == {"ContentTypeOptions"}


@pytest.fixture(scope="module")
def walled(synthesize: Synthesize) -> Templates:
    """With a firewall and a network, neither of which knows of the other."""
    return synthesize({**FIREWALL, **NETWORK})


@pytest.fixture(scope="module")
def web_acl(walled: Templates) -> dict[str, Any]:
    template = json.loads((walled.folder / "AstraLogFirewall.template.json").read_text())
    (acl,) = (each["Properties"] for each in template["Resources"].values() if "WebACL" in each["Type"])
    artifacts = json.loads((walled.folder / "manifest.json").read_text())["artifacts"]
    assert artifacts["AstraLogFirewall"]["environment"].endswith("/us-east-1")
    return acl


def test_the_firewall_limits_requests_of_an_address(web_acl: dict[str, Any]) -> None:
    limits = {
        each["Name"]: each["Statement"]["RateBasedStatement"]
        for each in web_acl["Rules"]
        if "RateBasedStatement" in each["Statement"]
    }

    assert (web_acl["Scope"], web_acl["DefaultAction"]) == ("CLOUDFRONT", {"Allow": {}})
    assert {name: (each["Limit"], "ScopeDownStatement" in each) for name, each in limits.items()} == {
        "rate": (5000, False),
        "forms-rate": (300, True),
    }
    assert all(each["Action"] == {"Block": {}} for each in web_acl["Rules"] if each["Name"] in limits)


def test_rules_that_read_bodies_see_no_logs_and_no_searches(web_acl: dict[str, Any]) -> None:
    """A log line may contain any attack, and a search may look for one."""
    groups = {
        each["Statement"]["ManagedRuleGroupStatement"]["Name"]: each["Statement"]["ManagedRuleGroupStatement"]
        for each in web_acl["Rules"]
        if "ManagedRuleGroupStatement" in each["Statement"]
    }
    reading = [each for each in groups if each != "AWSManagedRulesAmazonIpReputationList"]

    assert reading == ["AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"]
    for name in reading:
        regex = groups[name]["ScopeDownStatement"]["RegexMatchStatement"]["RegexString"]
        assert len(regex) <= 512, "WAF's limit"
        for route in (route for spec in topology.FUNCTIONS for route in spec.routes):
            path = re.sub(r"\{\w+\}", "made-up_1.2", route.path)
            assert bool(re.match(regex, path)) is (route.path in perimeter.form_paths()), path
        assert re.match(regex, "/v1/login")
        assert not re.match(regex, "/v1/drain")
        assert not re.match(regex, "/v1/stripe/webhook"), "a signed event may be larger than the rules allow"


def test_functions_that_reach_a_clickhouse_or_a_customers_bucket_are_in_the_network(
    walled: Templates,
) -> None:
    inside = {spec.name for spec in topology.FUNCTIONS if walled.function(spec.handler).get("VpcConfig")}

    assert {"sync", "sync-byoc", "query", "migrate", "eraser", "eraser-byoc", "exporter", "ingest"} <= inside
    assert inside.isdisjoint({"authorizer", "sign-in", "accounts", "billing", "notifier", "unsubscribe"})
    for spec in topology.FUNCTIONS:
        actions = {each for one in walled.statements(spec.handler) for each in listed(one["Action"])}
        assert ("ec2:CreateNetworkInterface" in actions) is (spec.name in inside)


def test_they_leave_it_by_fixed_addresses_and_reach_stores_without_them(walled: Templates) -> None:
    addresses = walled.resources("AWS::EC2::EIP")
    gateways = walled.properties("AWS::EC2::NatGateway")

    assert len(addresses) == len(gateways) == 2
    assert {walled.points_at(each["AllocationId"]) for each in gateways} == set(addresses)
    shown = walled.compute["Outputs"]["EgressAddresses"]["Value"]["Fn::Join"]
    assert [each["Fn::GetAtt"][0] for each in shown[1]] == list(addresses)
    endpoints = str([each["ServiceName"] for each in walled.properties("AWS::EC2::VPCEndpoint")])
    assert ".s3" in endpoints
    assert ".dynamodb" in endpoints
    assert [each["CidrBlock"] for each in walled.properties("AWS::EC2::VPC")] == ["10.9.0.0/20"]


def test_nothing_in_the_network_listens(walled: Templates) -> None:
    (group,) = walled.properties("AWS::EC2::SecurityGroup")

    assert "SecurityGroupIngress" not in group
    assert not walled.resources("AWS::EC2::SecurityGroupIngress")
    assert not any(each["MapPublicIpOnLaunch"] for each in walled.properties("AWS::EC2::Subnet"))


def test_a_functions_own_code_may_not_make_network_interfaces(walled: Templates) -> None:
    denied = [
        each for each in walled.statements(topology.function("sync").handler) if each["Effect"] == "Deny"
    ]

    assert [each["Condition"] for each in denied] == [{"Null": {"lambda:SourceFunctionArn": "false"}}]
    assert "ec2:CreateNetworkInterface" in denied[0]["Action"]


@pytest.mark.parametrize(
    ("context", "named"),
    [
        ({**EDGE, "edge_secret_sha256": "secret"}, "edge_secret_sha256"),
        ({**EDGE, "edge_secret_sha256": f"{DIGEST},"}, "edge_secret_sha256"),
        ({"edge_secret_sha256": DIGEST}, "certificate_arn"),
        ({**EDGE, "certificate_arn": CERTIFICATE.replace("us-east-1", "eu-central-1")}, "us-east-1"),
        ({**EDGE, "web_acl_arn": ACL.replace("us-east-1", "eu-central-1")}, "web_acl_arn"),
        ({"web_acl_arn": ACL}, "edge_secret_sha256"),
        ({"firewall": "yes"}, "firewall"),
        ({"firewall": "true", "requests_per_address": "many"}, "requests_per_address"),
        ({"firewall": "true", "requests_per_address": "9"}, "requests_per_address"),
        ({"network": "true", "network_cidr": "8.8.0.0/16"}, "network_cidr"),
        ({"network": "true", "network_cidr": "10.0.0.0/28"}, "network_cidr"),
        ({"network": "true", "network_cidr": "vpc-1"}, "network_cidr"),
        ({"network": "true", "network_zones": "3"}, "network_zones"),
        ({"cost_alarm_dollars": "0"}, "cost_alarm_dollars"),
        ({"cost_alarm_dollars": "nan"}, "cost_alarm_dollars"),
    ],
    ids=str,
)
def test_a_choice_that_would_fail_the_deploy_is_rejected_before(context: dict[str, str], named: str) -> None:
    with pytest.raises(ChoiceError, match=named):
        from_context(context.get)
