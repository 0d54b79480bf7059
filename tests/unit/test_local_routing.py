from infra.topology import Function, Route
from local.routing import Routes


def routes(*paths: str) -> Routes:
    function = Function("f", "m.f", 128, 3, routes=tuple(Route("GET", path) for path in paths))
    return Routes((function,))


def test_a_literal_goes_before_a_parameter() -> None:
    match = routes("/v1/{id}", "/v1/tail").match("GET", "/v1/tail")
    assert match is not None
    assert (match.route_key, dict(match.parameters)) == ("GET /v1/tail", {})


def test_a_parameter_is_one_segment() -> None:
    known = routes("/v1/traces/{trace_id}")
    match = known.match("GET", "/v1/traces/abc")
    assert match is not None
    assert match.parameters == {"trace_id": "abc"}
    assert known.match("GET", "/v1/traces/abc/d") is None
    assert known.match("GET", "/v1/traces/") is None


def test_another_method_is_another_route() -> None:
    assert routes("/v1/tail").match("POST", "/v1/tail") is None
