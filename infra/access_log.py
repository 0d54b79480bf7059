"""The access log of the API: a line for each request, those that reach no function included."""

import json

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.accepted import accept
from infra.function import LOG_RETENTION

LOGGED = {
    "time": "$context.requestTimeEpoch",
    "request": "$context.requestId",
    "route": "$context.routeKey",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "ms": "$context.responseLatency",
    "error": "$context.error.responseType",
    "integration": "$context.integrationStatus",
}
"""Fields of a line, about 200 bytes. The route as declared, not the path: a path or query may have a token, a
cursor or a search. No address and no user agent, which are personal data."""


def log_requests(scope: Construct, stage: apigateway.CfnStage) -> None:
    """Make `stage` write the lines to a log group of its own."""
    log_group = logs.LogGroup(
        scope, "access-log", retention=LOG_RETENTION, removal_policy=RemovalPolicy.DESTROY
    )
    accept(
        log_group,
        "CKV_AWS_158",
        reason="Log lines hold no payload and no secret; CloudWatch encrypts them with its own key.",
    )
    stage.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
        destination_arn=log_group.log_group_arn, format=json.dumps(LOGGED)
    )
