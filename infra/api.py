"""The HTTP API in front of the functions: the routes of the topology, and the authorizer."""

from typing import Any, cast

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_certificatemanager as acm
from constructs import Construct, IConstruct

from infra import topology
from infra.accepted import accept
from infra.access_log import log_requests
from infra.choices import Choices
from infra.edge import Edge
from infra.function import ServiceFunction
from infra.integration import FunctionIntegration


class PublicApi(Construct):
    """Payload 2.0 throughout. Outputs `ApiUrl` and, with a custom domain, the target of its DNS record.

    The authorizer has no identity sources, and the gateway does not cache its results. With a source, the
    gateway itself rejects a request without the header, and never reads a key in another header. The function
    has its own cache.

    Requests that match no route also go to a function: the gateway's own 404 does not follow the API
    contract.

    Each route has its own throttle (infra.topology.throttles). The stage is created after the routes: a stage
    that names a missing route is rejected.

    `address`: the public URL of the API.
    """

    def __init__(self, scope: Construct, functions: dict[str, ServiceFunction], choices: Choices) -> None:
        super().__init__(scope, "api")
        authorizer = authorizers.HttpLambdaAuthorizer(
            topology.AUTHORIZER,
            functions[topology.AUTHORIZER].function,
            response_types=[authorizers.HttpLambdaResponseType.SIMPLE],
            identity_source=[],
            results_cache_ttl=Duration.seconds(0),
        )
        integrated = {
            name: FunctionIntegration(each)
            for name, each in functions.items()
            if each.spec.routes or name == topology.UNKNOWN_ROUTES
        }
        self.api = apigateway.HttpApi(
            self,
            "http",
            api_name=choices.names.title,
            default_integration=integrated[topology.UNKNOWN_ROUTES],
            default_domain_mapping=self._domain_mapping(choices),
        )
        routes = [
            route
            for name, integration in integrated.items()
            for route in self._add_routes(functions[name].spec.routes, integration, authorizer)
        ]
        for integration in integrated.values():
            integration.allow_invocation(self.api)
        self._throttle(choices, routes)
        log_requests(self, self._stage)
        if choices.perimeter.edge and choices.domain and choices.certificate_arn:
            Edge(self, self.api, choices.perimeter.edge, choices.domain, choices.certificate_arn)
        self.address = f"https://{choices.domain}" if choices.domain else self.api.api_endpoint
        for each in functions.values():
            each.set_api_address(self.address)
        CfnOutput(scope, topology.API_URL, value=self.api.api_endpoint)

    def _add_routes(
        self,
        routes: tuple[topology.Route, ...],
        integration: FunctionIntegration,
        authorizer: authorizers.HttpLambdaAuthorizer,
    ) -> list[IConstruct]:
        added = [
            (route, made)
            for route in routes
            for made in self.api.add_routes(
                path=route.path,
                methods=[apigateway.HttpMethod[route.method]],
                integration=integration,
                authorizer=authorizer if route.auth else None,
            )
        ]
        for route, made in added:
            if not route.auth:
                _accept_open(made)
        return [made for _, made in added]

    @property
    def _stage(self) -> apigateway.CfnStage:
        return cast("apigateway.CfnStage", cast("Any", self.api.default_stage).node.default_child)

    def _throttle(self, choices: Choices, routes: list[IConstruct]) -> None:
        stage = self._stage
        usual = choices.scaled(topology.CLOSED)
        stage.default_route_settings = apigateway.CfnStage.RouteSettingsProperty(
            throttling_rate_limit=usual.rate, throttling_burst_limit=usual.burst
        )
        stage.route_settings = {
            key: {"ThrottlingRateLimit": each.rate, "ThrottlingBurstLimit": each.burst}
            for key, each in {
                name: choices.scaled(each) for name, each in topology.throttles().items()
            }.items()
        }
        default = self.api.node.find_child("DefaultRoute")
        _accept_open(default)
        for route in (*routes, default):
            stage.node.add_dependency(route)

    def _domain_mapping(self, choices: Choices) -> apigateway.DomainMappingOptions | None:
        if choices.perimeter.edge or choices.domain is None or choices.certificate_arn is None:
            return None
        name = apigateway.DomainName(
            self,
            "domain",
            domain_name=choices.domain,
            certificate=acm.Certificate.from_certificate_arn(self, "certificate", choices.certificate_arn),
        )
        CfnOutput(Stack.of(self), topology.DOMAIN_TARGET, value=name.regional_domain_name)
        return apigateway.DomainMappingOptions(domain_name=name)


def _accept_open(route: IConstruct) -> None:
    accept(
        route,
        "AwsSolutions-APIG4",
        reason="Open by the topology: sign-up and sign-in, signed links and webhooks, health, unknown paths. "
        "Each has a throttle, and its function checks what it gets.",
    )
