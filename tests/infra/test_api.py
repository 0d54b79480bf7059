"""The HTTP API has the topology's routes and asks the authorizer in the one way that suits every sender."""

from fnmatch import fnmatch

from infra import topology
from tests.infra.synthesized import Templates


def test_the_routes_are_the_topologys_and_the_one_for_all_others(templates: Templates) -> None:
    wanted = {
        f"{route.method} {route.path}": spec.handler for spec in topology.FUNCTIONS for route in spec.routes
    }
    wanted["$default"] = topology.function(topology.UNKNOWN_ROUTES).handler

    assert {key: _handler(templates, route) for key, route in _routes(templates).items()} == wanted


def test_a_route_asks_the_authorizer_unless_the_topology_leaves_it_open(templates: Templates) -> None:
    guarded = {
        f"{route.method} {route.path}" for spec in topology.FUNCTIONS for route in spec.routes if route.auth
    }
    (authorizer_id,) = templates.resources("AWS::ApiGatewayV2::Authorizer")
    routes = _routes(templates)

    assert {key for key, each in routes.items() if each["AuthorizationType"] == "CUSTOM"} == guarded
    assert {routes[key]["AuthorizerId"]["Ref"] for key in guarded} == {authorizer_id}
    assert {routes[key]["AuthorizationType"] for key in routes.keys() - guarded} == {"NONE"}


def test_the_gateway_neither_judges_nor_caches_a_key(templates: Templates) -> None:
    (authorizer,) = templates.properties("AWS::ApiGatewayV2::Authorizer")

    assert authorizer["IdentitySource"] == []
    assert authorizer["AuthorizerResultTtlInSeconds"] == 0
    assert authorizer["EnableSimpleResponses"] is True
    assert authorizer["AuthorizerPayloadFormatVersion"] == "2.0"


def test_every_function_behind_a_route_gets_payload_2_and_may_be_invoked(templates: Templates) -> None:
    functions = templates.resources("AWS::Lambda::Function")
    callable_by_gateway = {
        functions[templates.points_at(each["FunctionName"])]["Properties"]["Handler"]
        for each in templates.properties("AWS::Lambda::Permission")
        if each["Principal"] == "apigateway.amazonaws.com"
    }
    behind = {spec.handler for spec in topology.FUNCTIONS if spec.routes}

    assert callable_by_gateway == behind | {topology.function(topology.AUTHORIZER).handler}
    assert {
        each["PayloadFormatVersion"] for each in templates.properties("AWS::ApiGatewayV2::Integration")
    } == {"2.0"}


def test_a_function_has_one_integration_and_one_permission_for_all_of_its_routes(
    templates: Templates,
) -> None:
    (authorizer,) = templates.resources("AWS::ApiGatewayV2::Authorizer")
    behind = [spec for spec in topology.FUNCTIONS if spec.routes]
    permissions = templates.properties("AWS::Lambda::Permission")

    assert len(templates.resources("AWS::ApiGatewayV2::Integration")) == len(behind)
    assert len(permissions) == len(behind) + 1, "and one of the authorizer"
    assert sum({"Ref": authorizer} in each["SourceArn"]["Fn::Join"][1] for each in permissions) == 1


def test_a_permission_is_for_each_route_of_this_api_and_for_no_other_api(templates: Templates) -> None:
    """API Gateway calls `$default` as `<api>/<stage>/$default`, without a method: `/*/*/*` does not match."""
    (api,) = templates.resources("AWS::ApiGatewayV2::Api")
    arns = [
        "".join(
            each if isinstance(each, str) else each["Ref"] for each in permission["SourceArn"]["Fn::Join"][1]
        )
        for permission in templates.properties("AWS::Lambda::Permission")
    ]
    of_routes = {arn for arn in arns if "/authorizers/" not in arn}
    caller = f"arn:AWS::Partition:execute-api:AWS::Region:AWS::AccountId:{api}"

    for pattern in of_routes:
        assert fnmatch(f"{caller}/$default/$default", pattern)
        assert fnmatch(f"{caller}/$default/POST/v1/drain", pattern)
        assert not fnmatch(f"{caller.replace(api, 'another')}/$default/POST/v1/drain", pattern)
    assert of_routes


def test_a_function_behind_a_route_ends_before_the_gateway_times_out() -> None:
    slowest = max(spec.timeout_seconds for spec in topology.FUNCTIONS if spec.routes)

    assert slowest <= topology.HTTP_TIMEOUT_SECONDS < 30


def test_each_route_is_throttled_as_the_topology_says(templates: Templates) -> None:
    (stage,) = templates.properties("AWS::ApiGatewayV2::Stage")

    assert _throttle(stage["DefaultRouteSettings"]) == topology.CLOSED
    assert {key: _throttle(each) for key, each in stage["RouteSettings"].items()} == topology.throttles()
    assert stage["RouteSettings"].keys() <= _routes(templates).keys()


def test_no_flood_takes_the_request_rate_that_logs_need() -> None:
    """All open routes at once, where an account has the least: 2,500 a second, bursts of 1,250."""
    own = topology.throttles()
    drain = own.pop("POST /v1/drain")
    open_routes = [route for spec in topology.FUNCTIONS for route in spec.routes if not route.auth]

    assert (drain.rate, drain.burst) <= (2500, 1250)
    assert drain.rate + sum(own[f"{each.method} {each.path}"].rate for each in open_routes) <= 2500
    assert max(topology.CLOSED.rate, *(each.rate for each in own.values())) <= 500


def test_the_stage_comes_after_the_routes_it_names(templates: Templates) -> None:
    """API Gateway rejects settings for a route that does not exist yet."""
    (stage,) = templates.resources("AWS::ApiGatewayV2::Stage").values()

    assert templates.resources("AWS::ApiGatewayV2::Route").keys() <= set(stage["DependsOn"])


def test_an_operator_scales_the_throttles_together(chosen: Templates) -> None:
    (stage,) = chosen.properties("AWS::ApiGatewayV2::Stage")

    assert _throttle(stage["DefaultRouteSettings"]) == topology.Throttle(1, 2)
    assert _throttle(stage["RouteSettings"]["POST /v1/drain"]) == topology.Throttle(20, 10)
    assert _throttle(stage["RouteSettings"]["POST /v1/signup"]) == topology.Throttle(1, 1)


def _throttle(settings: dict[str, int]) -> topology.Throttle:
    return topology.Throttle(settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"])


def _routes(templates: Templates) -> dict[str, dict[str, object]]:
    return {each["RouteKey"]: each for each in templates.properties("AWS::ApiGatewayV2::Route")}


def _handler(templates: Templates, route: dict[str, object]) -> str:
    target = route["Target"]["Fn::Join"][1][1]  # type: ignore[index]
    integration = templates.resources("AWS::ApiGatewayV2::Integration")[templates.points_at(target)]
    function = templates.points_at(integration["Properties"]["IntegrationUri"])
    handler: str = templates.resources("AWS::Lambda::Function")[function]["Properties"]["Handler"]
    return handler


def test_the_api_speaks_tls_alone(templates: Templates, chosen: Templates) -> None:
    """An HTTP API has no port without TLS; a domain of one's own takes 1.2 at least."""
    (api,) = templates.properties("AWS::ApiGatewayV2::Api")
    assert api["ProtocolType"] == "HTTP"
    assert not templates.resources("AWS::ElasticLoadBalancingV2::Listener")
    assert not templates.resources("AWS::Lambda::Url")
    (domain,) = chosen.properties("AWS::ApiGatewayV2::DomainName")
    assert domain["DomainNameConfigurations"][0].get("SecurityPolicy", "TLS_1_2") == "TLS_1_2"
