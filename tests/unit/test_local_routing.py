from infra.topology import FUNCTIONS, UNKNOWN_ROUTES, Function, Route
from local.routing import Routes


def routes(*paths: str) -> Routes:
    function = Function("f", "m.f", 128, 3, routes=tuple(Route("GET", path) for path in paths))
    return Routes((function,), unmatched="f")


def test_a_literal_goes_before_a_parameter() -> None:
    match = routes("/v1/{id}", "/v1/tail").match("GET", "/v1/tail")
    assert (match.route_key, dict(match.parameters)) == ("GET /v1/tail", {})


def test_a_parameter_is_one_segment() -> None:
    known = routes("/v1/traces/{trace_id}")
    match = known.match("GET", "/v1/traces/abc")
    assert match.parameters == {"trace_id": "abc"}
    assert known.match("GET", "/v1/traces/abc/d").route_key == "$default"
    assert known.match("GET", "/v1/traces/").route_key == "$default"


def test_a_route_of_a_method_goes_before_one_of_any() -> None:
    both = (Route("ANY", "/"), Route("POST", "/"), Route("ANY", "/{index}/_bulk"))
    known = Routes((Function("f", "m.f", 128, 3, routes=both),), unmatched="f")
    assert [known.match(method, "/").route_key for method in ("POST", "GET", "HEAD")] == [
        "POST /",
        "ANY /",
        "ANY /",
    ]
    assert known.match("PUT", "/logs/_bulk").parameters == {"index": "logs"}


def test_the_rest_of_a_path_comes_after_literals_and_parameters() -> None:
    known = routes("/services/{path+}", "/services/{one}", "/services/health")
    match = known.match("GET", "/services/collector/event/1.0")
    assert (match.route_key, dict(match.parameters)) == (
        "GET /services/{path+}",
        {"path": "collector/event/1.0"},
    )
    assert known.match("GET", "/services/other").route_key == "GET /services/{one}"
    assert known.match("GET", "/services/health").route_key == "GET /services/health"
    assert known.match("GET", "/services/").route_key == "$default"
    assert known.match("GET", "/services").route_key == "$default"


def test_another_method_is_another_route() -> None:
    assert routes("/v1/tail").match("POST", "/v1/tail").route_key == "$default"


def test_a_request_that_matches_no_route_goes_to_the_function_for_them_without_an_authorizer() -> None:
    match = Routes(FUNCTIONS).match("GET", "/v1/drain")
    assert (match.function.name, match.route_key, match.route.auth) == (UNKNOWN_ROUTES, "$default", False)
