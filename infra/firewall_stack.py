"""The stack of the WAF web ACL for CloudFront, if the operator chooses it."""

import re
from collections.abc import Callable
from typing import Any

from aws_cdk import CfnOutput, Environment, Stack
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.perimeter import FirewallChoice, form_paths

REGION = "us-east-1"
"""AWS keeps web ACLs for CloudFront there, wherever the service is."""

MANAGED = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet")

REPUTATION = "AWSManagedRulesAmazonIpReputationList"

FORMS_PER_ADDRESS = 300
"""In five minutes, on open routes for people."""


class FirewallStack(Stack):
    """Rate limits by address, AWS's list of hostile addresses, and managed rules. Outputs `WebAclArn`.

    The managed rules read bodies, so they apply to open routes for people only: a log line may contain any
    attack, and a search may look for one.
    """

    def __init__(self, scope: Construct, name: str, choice: FirewallChoice, **stack: Any) -> None:
        super().__init__(scope, name, env=Environment(region=REGION), **stack)
        rules = [
            _rule("rate", _rate(choice.requests_per_address), blocks=True),
            _rule("forms-rate", _rate(FORMS_PER_ADDRESS, _forms()), blocks=True),
            _rule(REPUTATION, _managed(REPUTATION)),
            *(_rule(each, _managed(each, _forms())) for each in MANAGED),
        ]
        acl = waf.CfnWebACL(
            self,
            "acl",
            scope="CLOUDFRONT",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visibility("all"),
            rules=[rule(priority) for priority, rule in enumerate(rules)],
        )
        CfnOutput(self, "WebAclArn", value=acl.attr_arn)


def _rule(
    name: str, statement: waf.CfnWebACL.StatementProperty, *, blocks: bool = False
) -> Callable[[int], waf.CfnWebACL.RuleProperty]:
    """A rule at a priority. A rate limit blocks; a managed group has actions of its own."""
    block = waf.CfnWebACL.RuleActionProperty(block=waf.CfnWebACL.BlockActionProperty())
    return lambda priority: waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=statement,
        action=block if blocks else None,
        override_action=None if blocks else waf.CfnWebACL.OverrideActionProperty(none={}),
        visibility_config=_visibility(name),
    )


def _rate(
    requests: int, scope_down: waf.CfnWebACL.StatementProperty | None = None
) -> waf.CfnWebACL.StatementProperty:
    return waf.CfnWebACL.StatementProperty(
        rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
            aggregate_key_type="IP",
            limit=requests,
            evaluation_window_sec=300,
            scope_down_statement=scope_down,
        )
    )


def _managed(
    group: str, scope_down: waf.CfnWebACL.StatementProperty | None = None
) -> waf.CfnWebACL.StatementProperty:
    return waf.CfnWebACL.StatementProperty(
        managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
            vendor_name="AWS", name=group, scope_down_statement=scope_down
        )
    )


def _forms() -> waf.CfnWebACL.StatementProperty:
    """Open routes for people. A parameter in a path is one segment."""
    patterns = "|".join(re.sub(r"\{\w+\}", "[^/]+", path) for path in form_paths())
    return waf.CfnWebACL.StatementProperty(
        regex_match_statement=waf.CfnWebACL.RegexMatchStatementProperty(
            regex_string=f"^({patterns})$",
            field_to_match=waf.CfnWebACL.FieldToMatchProperty(uri_path={}),
            text_transformations=[waf.CfnWebACL.TextTransformationProperty(priority=0, type="URL_DECODE")],
        )
    )


def _visibility(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=f"astralog-{name}", sampled_requests_enabled=False
    )
