"""A customer: signs up, creates keys, sends logs and searches, as the documentation says."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from rehearsal.api_client import Api, expect
from rehearsal.mailbox import Mailbox


class Customer:
    """`token`: the access token of the account's owner. `key`: a key with the scopes ingest and read.

    `sent` are the messages of all accepted logs. `mark` is in each of them, and in no other customer's.
    """

    def __init__(self, api: Api, mailbox: Mailbox, name: str) -> None:
        self._api = api
        self._mailbox = mailbox
        self.name = name
        self.mark = f"{name}{uuid4().hex[:10]}"
        self.email = f"{self.mark}@rehearsal.example"
        self.password = f"Correct-horse-{uuid4().hex}"
        self.tenant = ""
        self.token = ""
        self.key = ""
        self.sent: list[str] = []
        self.has_own_clickhouse = False

    def join(self) -> None:
        """Sign up, confirm the address, log in, create a key."""
        proof = {"email": self.email, "password": self.password}
        self._api.done("POST /v1/signup", "", {**proof, "name": self.name, "accept_terms": True})
        code = {"code": self._mailbox.code(self.email)}
        self.tenant = self._api.done("POST /v1/signup/confirm", "", {**proof, **code})["tenant_id"]
        self.token = self._api.done("POST /v1/login", "", proof)["access_token"]
        self.key = self.new_key("first")["key"]

    def new_key(self, name: str, scopes: tuple[str, ...] = ("ingest", "read")) -> dict[str, Any]:
        """Create a key; the answer with `key` and `id`."""
        made: dict[str, Any] = self._api.done("POST /v1/keys", self.token, {"name": name, "scopes": scopes})
        return made

    def lines(self, count: int, what: str = "line") -> list[str]:
        """Messages that only this customer sends, and sends once."""
        return [f"{what} {n} of {self.mark} {uuid4().hex[:8]}" for n in range(count)]

    def send(self, count: int, what: str = "line", *, wait: bool = True) -> list[str]:
        """Send logs; with `wait` the answer comes when searches find them."""
        lines = self.lines(count, what)
        events = [{"message": line, "level": "info", "service": "rehearsal"} for line in lines]
        self._api.done(f"POST /v1/drain{'?wait=true' if wait else ''}", self.key, {"events": events})
        self.sent += lines
        return lines

    def find(self, text: str = "", **asked: Any) -> list[dict[str, Any]]:
        """All events that a search finds, page by page."""
        now = datetime.now(UTC)
        span = {"from": (now - timedelta(days=20)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
        body = {**span, "limit": 1000, **({"q": text} if text else {}), **asked}
        page = self._api.done("POST /v1/search", self.key, body)
        events: list[dict[str, Any]] = page["events"]
        while page["next_cursor"]:
            page = self._api.done("POST /v1/search", self.key, {**body, "cursor": page["next_cursor"]})
            events += page["events"]
        return events

    def finds_exactly(self, lines: list[str], text: str = "") -> None:
        """Check that a search finds each of `lines` once, and nothing else.

        Raises
        ------
        RehearsalError: it does not.
        """
        found = sorted(event["message"] for event in self.find(text))
        expect(found == sorted(lines), f"{self.name} finds {len(found)} events instead of {len(lines)}")
