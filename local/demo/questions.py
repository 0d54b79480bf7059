"""Three typical searches after a failure, each leading to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.demo.client import Client
from local.demo.shop import DECLINED
from local.demo.source import Event
from local.demo.verification import search

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Answered:
    """A request to POST /v1/search and its result; `elapsed_ms` is measured by ClickHouse."""

    title: str
    asked: Mapping[str, Any]
    events: Sequence[Event] = field(repr=False)
    elapsed_ms: float


def ask(client: Client, now: datetime) -> list[Answered]:
    """Search for the errors of the last hour, for a declined payment, and for its trace."""
    hour_ago = (now - timedelta(hours=1)).isoformat(timespec="seconds")
    errors = _ask(
        client, "errors of the last hour", {"levels": ["error", "fatal"], "from": hour_ago, "limit": SHOWN}
    )
    declined = _ask(client, "a phrase", {"q": f'"{DECLINED}" -test', "limit": SHOWN})
    trace_id = declined.events[0]["trace_id"] if declined.events else ""
    trace = _ask(client, "one trace, from its first line", {"trace_id": trace_id, "order": "asc"})
    return [errors, declined, trace]


def _ask(client: Client, title: str, asked: Mapping[str, Any]) -> Answered:
    page = search(client, **asked)
    return Answered(title, asked, page["events"], page["stats"]["elapsed_ms"])
