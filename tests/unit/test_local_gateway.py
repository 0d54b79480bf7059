import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import stripe
from aiohttp.test_utils import TestClient, TestServer

from fake_stripe.signing import signature
from infra.topology import AUTHORIZER, MAX_BODY_BYTES, Function, Route
from local import gateway
from local.execution_environment import FunctionCrashedError
from local.gateway import Gateway
from local.invoker import WAITS
from local.routing import Routes

ROUTES = Routes(
    (
        Function(
            "app",
            "m.f",
            128,
            3,
            routes=(Route("POST", "/closed/{id}"), Route("GET", "/open", auth=False)),
        ),
        Function("unmatched", "m.f", 128, 3),
    ),
    unmatched="unmatched",
)

Client = TestClient[Any, Any]


class Invoker:
    """Answers by function name, or raises what it holds; remembers the events."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {AUTHORIZER: {"isAuthorized": True, "context": {"who": "acme"}}, **answers}
        self.events: list[tuple[str, dict[str, Any]]] = []

    async def invoke(self, name: str, event: dict[str, Any]) -> Any:
        self.events.append((name, event))
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return await answer()
        return answer


def through(invoker: Invoker, use: Callable[[Client], Awaitable[Any]]) -> Any:
    async def scenario() -> Any:
        application = Gateway(ROUTES, invoker).application()  # type: ignore[arg-type]
        async with TestClient(TestServer(application)) as client:
            return await use(client)

    return asyncio.run(scenario())


async def post(client: Client) -> tuple[int, Any]:
    answer = await client.post("/closed/7?a=b", data=b"{}", headers={"X-API-Key": "k"})
    return answer.status, await answer.json()


def test_a_path_with_a_line_break_reaches_the_function_of_its_route() -> None:
    invoker = Invoker(app={"statusCode": 202, "body": "{}"})

    async def use(client: Client) -> int:
        answer = await client.post("/closed/a%0Ab", data=b"{}")
        return answer.status

    assert through(invoker, use) == 202
    assert invoker.events[-1][1]["pathParameters"] == {"id": "a\nb"}


def test_the_authorizer_is_asked_first_and_its_context_reaches_the_function() -> None:
    invoker = Invoker(app={"statusCode": 202, "body": "{}"})

    async def use(client: Client) -> int:
        answer = await client.post("/closed/7", data=b"{}", headers={"X-API-Key": "k"})
        return answer.status

    assert through(invoker, use) == 202
    (first, asked), (second, event) = invoker.events
    assert (first, second) == (AUTHORIZER, "app")
    assert asked["headers"]["x-api-key"] == "k"
    assert event["requestContext"]["authorizer"]["lambda"] == {"who": "acme"}
    assert event["pathParameters"] == {"id": "7"}


def test_a_refusal_of_the_authorizer_is_the_gateway_s_403() -> None:
    assert through(Invoker(**{AUTHORIZER: {"isAuthorized": False}}), post) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize("verdict", [None, {"isAuthorized": "yes"}, FunctionCrashedError("x")])
def test_an_authorizer_that_fails_lets_no_request_through(verdict: Any) -> None:
    invoker = Invoker(**{AUTHORIZER: verdict})
    assert through(invoker, post) == (500, {"message": "Internal Server Error"})
    assert len(invoker.events) == 1


def test_an_open_route_asks_no_authorizer() -> None:
    invoker = Invoker(app={"statusCode": 204})

    async def use(client: Client) -> int:
        return (await client.get("/open")).status

    assert through(invoker, use) == 204
    assert [name for name, _ in invoker.events] == ["app"]


def test_an_unknown_route_and_an_unknown_method_reach_the_function_for_them_without_the_authorizer() -> None:
    invoker = Invoker(unmatched={"statusCode": 405, "headers": {"allow": "POST"}})

    async def use(client: Client) -> list[Any]:
        answers = [await client.get(path) for path in ("/nothing", "/closed/7")]
        return [(answer.status, answer.headers["allow"]) for answer in answers]

    assert through(invoker, use) == [(405, "POST")] * 2
    assert [(name, event["routeKey"], event["rawPath"]) for name, event in invoker.events] == [
        ("unmatched", "$default", "/nothing"),
        ("unmatched", "$default", "/closed/7"),
    ]


def test_a_crash_is_the_gateway_s_500() -> None:
    invoker = Invoker(app=FunctionCrashedError("x"))
    assert through(invoker, post) == (500, {"message": "Internal Server Error"})


def test_the_gateway_stops_waiting_after_its_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "HTTP_TIMEOUT_SECONDS", 0.05)
    invoker = Invoker(app=lambda: asyncio.sleep(0.3))
    assert through(invoker, post) == (503, {"message": "Service Unavailable"})


def test_a_body_over_the_limit_never_reaches_a_function() -> None:
    invoker = Invoker()

    async def use(client: Client) -> tuple[int, Any]:
        answer = await client.post("/closed/7", data=b"x" * (MAX_BODY_BYTES + 1))
        return answer.status, await answer.json()

    assert through(invoker, use) == (413, {"message": "Request Entity Too Large"})
    assert invoker.events == []


def test_a_compressed_body_is_not_opened() -> None:
    invoker = Invoker(app={"statusCode": 200})

    async def use(client: Client) -> None:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        await client.post("/closed/7", data=b"\x1f\x8bnot gzip at all", headers=headers)

    async def scenario() -> None:
        server = TestServer(Gateway(ROUTES, invoker).application())  # type: ignore[arg-type]
        await server.start_server(auto_decompress=False)
        async with TestClient(server) as client:
            await use(client)

    asyncio.run(scenario())
    assert invoker.events[1][1]["isBase64Encoded"] is True


def test_a_signature_over_the_body_that_was_sent_holds_over_the_body_that_arrives() -> None:
    body, secret = (
        '{\n  "name" : "Zoë 株式会社",  "emoji": "\\ud83d\\ude00 😀"\n}\n'.encode(),
        "whsec_of_a_test",
    )
    signed = signature(body, secret, int(time.time()))
    invoker = Invoker(app={"statusCode": 200})

    async def use(client: Client) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signed}
        await client.post("/closed/7", data=body, headers=headers)

    through(invoker, use)
    event = json.loads(json.dumps(invoker.events[1][1]))
    assert event["headers"]["stripe-signature"] == signed
    assert event["isBase64Encoded"] is False
    assert stripe.Webhook.construct_event(event["body"].encode(), signed, secret).to_dict() == json.loads(
        body
    )


def test_the_time_that_a_request_waited_for_environments_is_in_its_answer() -> None:
    """Each request has its own: one that did not wait beside one that did."""

    async def waited() -> dict[str, Any]:
        waits = WAITS.get()
        assert waits is not None
        waits.append(1.5)
        return {"statusCode": 202, "body": "{}"}

    async def use(client: Client) -> list[str]:
        slow = await client.post("/closed/7", data=b"{}", headers={"X-API-Key": "k"})
        fast = await client.get("/open")
        return [each.headers["server-timing"].partition(",")[0] for each in (slow, fast)]

    invoker = Invoker(app=waited)

    async def both(client: Client) -> list[str]:
        first, _ = await use(client)
        invoker.answers["app"] = {"statusCode": 200, "body": "{}"}
        _, second = await use(client)
        return [first, second]

    assert through(invoker, both) == ["queue;dur=1500.0", "queue;dur=0.0"]
