"""CloudFront in front of the API, if the operator chooses it (docs/adr/0035)."""

from aws_cdk import Aws, CfnOutput, Duration, SecretValue, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from constructs import Construct

from infra.accepted import accept
from infra.perimeter import EDGE_HEADER, HOST_HEADER, VIEWER_HEADER, EdgeChoice

VIEWER_FUNCTION = f"""function handler(event) {{
    var request = event.request;
    request.headers['{VIEWER_HEADER}'] = {{ value: event.viewer.ip }};
    request.headers['{HOST_HEADER}'] = {{ value: request.headers.host.value }};
    return request;
}}
"""
"""CloudFront's own header for the address cannot be forwarded without `Host`, by which API Gateway routes."""


ASSETS = "/assets/*"
"""They have no secret, so they are cached at the edge under their path alone."""


class Edge(Construct):
    """A distribution whose only origin is the API: every method and header passes.

    Nothing is cached but the dashboard's assets, whose names have a hash of their content.

    The functions see CloudFront's address as the caller's. So a CloudFront function writes the viewer's into
    a header, and the distribution sends the secret that makes functions believe it. CloudFormation reads the
    secret when it deploys: no template has its value.

    Outputs `DomainTarget`, the target of the domain's DNS record.
    """

    def __init__(
        self, scope: Construct, api: apigateway.HttpApi, choice: EdgeChoice, domain: str, certificate_arn: str
    ) -> None:
        super().__init__(scope, "edge")
        secret = SecretValue.secrets_manager(choice.secret_name).unsafe_unwrap()
        origin = origins.HttpOrigin(
            f"{api.api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}",
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            custom_headers={EDGE_HEADER: secret},
        )
        self.distribution = cloudfront.Distribution(
            self,
            "distribution",
            default_behavior=self._behaviour(origin),
            additional_behaviors={ASSETS: _assets(origin)},
            domain_names=[domain],
            certificate=acm.Certificate.from_certificate_arn(self, "certificate", certificate_arn),
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            web_acl_id=choice.web_acl_arn,
        )
        _accept_findings(self.distribution, choice)
        CfnOutput(Stack.of(self), "DomainTarget", value=self.distribution.distribution_domain_name)

    def _behaviour(self, origin: origins.HttpOrigin) -> cloudfront.BehaviorOptions:
        """Plain HTTP is rejected, not redirected: a redirected request has already sent its key."""
        address = cloudfront.Function(
            self,
            "viewer",
            code=cloudfront.FunctionCode.from_inline(VIEWER_FUNCTION),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )
        return cloudfront.BehaviorOptions(
            origin=origin,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
            compress=False,
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            response_headers_policy=_security_headers(self),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            function_associations=[
                cloudfront.FunctionAssociation(
                    function=address, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST
                )
            ],
        )


def _assets(origin: origins.HttpOrigin) -> cloudfront.BehaviorOptions:
    return cloudfront.BehaviorOptions(
        origin=origin,
        cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
        compress=False,
        viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
    )


def _security_headers(scope: Construct) -> cloudfront.ResponseHeadersPolicy:
    """For responses of the gateway itself; a function's own headers stay as they are."""
    return cloudfront.ResponseHeadersPolicy(
        scope,
        "headers",
        security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
            content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                content_security_policy="default-src 'none'; frame-ancestors 'none'", override=False
            ),
            content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
            frame_options=cloudfront.ResponseHeadersFrameOptions(
                frame_option=cloudfront.HeadersFrameOption.DENY, override=False
            ),
            referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=False
            ),
            strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                access_control_max_age=Duration.days(365), include_subdomains=False, override=False
            ),
        ),
    )


def _accept_findings(distribution: cloudfront.Distribution, choice: EdgeChoice) -> None:
    accept(
        distribution,
        "AwsSolutions-CFR3", "CKV_AWS_86",
        reason="CloudFront's logs contain addresses, paths and queries; the API's access log has neither.",
    )  # fmt: skip
    accept(distribution, "AwsSolutions-CFR1", reason="Customers send logs from any country.")
    if choice.web_acl_arn is None:
        accept(
            distribution,
            "AwsSolutions-CFR2", "CKV_AWS_68",
            reason="WAF is a choice of its own ('-c web_acl_arn=…'): it costs from $10 a month.",
        )  # fmt: skip
