"""The HTTP API in front of the functions: the routes of the topology, and the authorizer."""

from typing import Any, cast

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_certificatemanager as acm
from constructs import Construct, IConstruct

from infra import topology
from infra.choices import Choices
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
        return [
            made
            for route in routes
            for made in self.api.add_routes(
                path=route.path,
                methods=[apigateway.HttpMethod[route.method]],
                integration=integration,
                authorizer=authorizer if route.auth else None,
            )
        ]

    def _throttle(self, choices: Choices, routes: list[IConstruct]) -> None:
        stage = cast("apigateway.CfnStage", cast("Any", self.api.default_stage).node.default_child)
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
        for route in (*routes, self.api.node.find_child("DefaultRoute")):
            stage.node.add_dependency(route)

    def _domain_mapping(self, choices: Choices) -> apigateway.DomainMappingOptions | None:
        if choices.domain is None or choices.certificate_arn is None:
            return None
        name = apigateway.DomainName(
            self,
            "domain",
            domain_name=choices.domain,
            certificate=acm.Certificate.from_certificate_arn(self, "certificate", choices.certificate_arn),
        )
        CfnOutput(Stack.of(self), topology.DOMAIN_TARGET, value=name.regional_domain_name)
        return apigateway.DomainMappingOptions(domain_name=name)
