"""How the HTTP API invokes a function: one integration and one permission for all of its routes."""

from aws_cdk import Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.function import ServiceFunction


class FunctionIntegration(integrations.HttpLambdaIntegration):
    """The integration of one function, for all of its routes.

    CDK would add a permission for each route, or one for `/*/*/*`, which does not include `$default`. Instead
    `allow_invocation` adds one for the API: the gateway invokes only what its own routes name.
    """

    def __init__(self, behind: ServiceFunction) -> None:
        super().__init__(behind.spec.name, behind.function)
        self._function = behind.function

    def _complete_bind(self, *, route: apigateway.IHttpRoute, scope: Construct) -> None:
        pass

    def allow_invocation(self, api: apigateway.HttpApi) -> None:
        """Let the routes of `api`, of any method and path and `$default`, invoke the function."""
        self._function.add_permission(
            "gateway",
            principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
            source_arn=Stack.of(api).format_arn(
                service="execute-api", resource=api.api_id, resource_name="*/*"
            ),
        )
