"""A customer of the service, who signs up as people do and asks by the API."""

from datetime import datetime
from typing import Any

import httpx

from tests.integration.person import Person
from tests.integration.stack import RunningStack, bearer

ASKED_SECONDS = 30


class Customer:
    """`token` opens what an admin key opens. Cards are typed on Stripe's pages, never here."""

    def __init__(self, stack: RunningStack) -> None:
        with stack.client() as client:
            self.person = Person(client, stack.mail)
            self.token = self.person.joins()
        self.api = httpx.Client(base_url=stack.api, timeout=ASKED_SECONDS, headers=bearer(self.token))

    def ask(self, method: str, path: str, body: Any = None, expected: int = 200) -> Any:
        """The JSON of the one answer that is expected."""
        answer = self.api.request(method, path, json=body)
        assert answer.status_code == expected, answer.text
        return answer.json()

    def billing(self) -> dict[str, Any]:
        billing: dict[str, Any] = self.ask("GET", "/v1/billing")
        return billing

    def checkout(self, plan: str) -> str:
        return str(self.ask("POST", "/v1/billing/checkout", {"plan": plan}, 201)["url"])

    def portal(self) -> str:
        return str(self.ask("POST", "/v1/billing/portal", expected=201)["url"])

    def sends_a_log(self, message: str) -> int:
        """The status of the answer to one log line, with a key of its own."""
        key = self.ask("POST", "/v1/keys", {"scopes": ["ingest"]}, 201)["key"]
        events = {"events": [{"message": message}]}
        return self.api.post("/v1/drain", json=events, headers=bearer(key)).status_code


def moment(text: str) -> float:
    """An API's time as Unix seconds."""
    return datetime.fromisoformat(text).timestamp()
