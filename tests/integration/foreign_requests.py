"""Generated requests of one account that name what another one has: one kind for each way to ask.

Every posted route with the filter of a search has a kind, made of its declaration for the OpenAPI document.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from functions.query.openapi import OPERATIONS
from functions.query.requests.dry_run import DRY_RUN_ROUTES
from functions.query.requests.request import FilterBody
from functions.shared.openapi import JSON, Operation
from tests.integration.foreign_world import ACME, BATCHES, BETA, EVENTS, OBJECTS, SECRET, ForeignWorld, forged
from tests.integration.test_query_routes import EVER, MARK
from tests.query_texts import damaged, query_text

AN_HOUR = {"from": "2026-11-23T09:30:00Z", "to": "2026-11-23T10:30:00Z"}
"""An export reads it in one page."""


class ForeignRequest(NamedTuple):
    """A request; `place` is the id in its path."""

    route: str
    body: Any = None
    query: dict[str, str] | None = None
    place: str = ""


class Asking:
    """Makes requests of `tenant`, which has saved searches and exports only if it is BETA."""

    def __init__(self, world: ForeignWorld, random: Random, tenant: str) -> None:
        self._world = world
        self._random = random
        self._tenant = tenant

    def text(self) -> str:
        """A query, in which MARK may be any word; SECRET never is. Half of them find every event."""
        random = self._random
        text = (
            f"{random.choice(['', MARK, f'NOT {MARK}x', '* OR', '* OR', 'timeout OR'])} {query_text(random)}"
        )
        text = damaged(random, text) if random.random() < 0.3 else text
        for word in ("user", "timeout", "api"):
            text = text.replace(word, f"{word}{MARK}") if random.random() < 0.2 else text
        return text.encode("utf-8", "ignore").decode()

    def search(self, text: str) -> ForeignRequest:
        return ForeignRequest("POST /v1/search", _filter(text))

    def search_in_url(self, text: str) -> ForeignRequest:
        return _in_url(self.search(text))

    def stats_in_url(self, text: str) -> ForeignRequest:
        return _in_url(self.stats(text))

    def histogram_in_url(self, text: str) -> ForeignRequest:
        return _in_url(self.histogram(text))

    def fields_in_url(self, text: str) -> ForeignRequest:
        return _in_url(self.fields(text))

    def patterns_in_url(self, text: str) -> ForeignRequest:
        return _in_url(self.patterns(text))

    def search_behind_a_foreign_cursor(self, text: str) -> ForeignRequest:
        """The cursor of BETA's page of the same search, sometimes damaged."""
        body = _filter(text)
        status, result = self._world.ask("POST /v1/search", BETA, {**body, "limit": self._one_of(1, 7)})
        cursor = (result.get("next_cursor") if status == 200 else None) or "bm9uZQ"
        return ForeignRequest("POST /v1/search", {**body, "cursor": self._maybe_damaged(cursor)})

    def stats(self, text: str) -> ForeignRequest:
        return ForeignRequest("POST /v1/stats", {**EVER, "query": text})

    def completions(self, text: str) -> ForeignRequest:
        short = self._one_of(text, f"{text} ", "user:", "service:", f"{MARK}", "a", "")
        return ForeignRequest(
            "POST /v1/query/complete", {"query": short, "position": self._random.randint(0, len(short))}
        )

    def formatted(self, text: str) -> ForeignRequest:
        return ForeignRequest("POST /v1/query/format", {"query": text})

    def histogram(self, text: str) -> ForeignRequest:
        split_by = self._one_of(None, "service", "user", f"{MARK}key", "message")
        return ForeignRequest("POST /v1/histogram", {**_filter(text), "interval": "1d", "split_by": split_by})

    def fields(self, text: str) -> ForeignRequest:
        return ForeignRequest("POST /v1/fields", _filter(text))

    def patterns(self, text: str) -> ForeignRequest:
        compared = self._one_of({}, {"compare_from": "2025-01-01"})
        return ForeignRequest("POST /v1/patterns", {**_filter(text), **compared})

    def dry_run(self, text: str) -> ForeignRequest:
        route = self._random.choice(sorted(DRY_RUN_ROUTES))
        body = None if route.startswith("GET") else _filter(text)
        return ForeignRequest(route, body, {"dry_run": "true", **({} if body else {"q": text})})

    def event(self, _text: str) -> ForeignRequest:
        return ForeignRequest("GET /v1/events/{id}", place=self._event_id())

    def context(self, _text: str) -> ForeignRequest:
        scope = self._one_of("service", "stream", "all")
        return ForeignRequest("GET /v1/events/{id}/context", query={"scope": scope}, place=self._event_id())

    def trace(self, _text: str) -> ForeignRequest:
        theirs = f"trace{MARK} {SECRET}"
        place = self._one_of("trace", theirs, self._maybe_damaged(theirs))
        return ForeignRequest("GET /v1/traces/{id}", query=self._one_of({}, dict(EVER)), place=place)

    def tail(self, text: str) -> ForeignRequest:
        """A cursor whose place is anywhere in the log, and behind any row."""
        query = {"q": text.split("|", maxsplit=1)[0], "wait": "0", "limit": self._one_of("1", "50")}
        status, result = self._world.ask("GET /v1/tail", self._tenant, query=query)
        if status != 200:
            return ForeignRequest("GET /v1/tail", query=query)
        behind = [1_795_428_000 * 10**9, OBJECTS[BETA], self._random.randrange(EVENTS), 0, 1, "managed"]
        index = self._random.randrange(len(BATCHES))
        first = self._one_of(next(iter(BATCHES)), "b1") if index else ""
        more = self._one_of([], [], [len(BATCHES), behind])
        cursor = forged(result["cursor"], 3, [["managed", 0, index, first, *more]])
        return ForeignRequest("GET /v1/tail", query={**query, "cursor": self._maybe_damaged(cursor)})

    def export(self, text: str) -> ForeignRequest:
        return ForeignRequest("POST /v1/search/export", {**_filter(text), **AN_HOUR})

    def exports(self, _text: str) -> ForeignRequest:
        return ForeignRequest("GET /v1/search/exports")

    def foreign_export(self, _text: str) -> ForeignRequest:
        (theirs,) = self._world.ask("GET /v1/search/exports", BETA)[1]["exports"]
        return ForeignRequest("GET /v1/search/exports/{id}", place=self._maybe_damaged(theirs["id"]))

    def save(self, text: str) -> ForeignRequest:
        return ForeignRequest(
            "POST /v1/searches", {"name": f"{MARK} {self._random.random()}", "query": text[:500]}
        )

    def saved(self, _text: str) -> ForeignRequest:
        return ForeignRequest("GET /v1/searches")

    def foreign_saved(self, _text: str) -> ForeignRequest:
        return ForeignRequest("GET /v1/searches/{id}", place=self._foreign_search_id())

    def change_foreign(self, text: str) -> ForeignRequest:
        return ForeignRequest(
            "PATCH /v1/searches/{id}", {"query": text[:500]}, place=self._foreign_search_id()
        )

    def delete_foreign(self, _text: str) -> ForeignRequest:
        return ForeignRequest("DELETE /v1/searches/{id}", place=self._foreign_search_id())

    def _foreign_search_id(self) -> str:
        (theirs,) = self._world.ask("GET /v1/searches", BETA)[1]["searches"]
        return self._maybe_damaged(theirs["id"])

    def _event_id(self) -> str:
        own, theirs = OBJECTS[ACME], OBJECTS[BETA]
        object_id = self._one_of(own, own, own, theirs, theirs, damaged(self._random, theirs))
        return f"{object_id}-{self._random.randrange(EVENTS)}"

    def _one_of(self, *choices: Any) -> Any:
        return self._random.choice(choices)

    def _maybe_damaged(self, text: str) -> str:
        return damaged(self._random, text) if self._random.random() < 0.3 else text


Kind = Callable[[Asking, str], ForeignRequest]

ANSWERED: tuple[Kind, ...] = (
    Asking.search,
    Asking.search_in_url,
    Asking.search_behind_a_foreign_cursor,
    Asking.stats_in_url,
    Asking.histogram_in_url,
    Asking.fields_in_url,
    Asking.patterns_in_url,
    Asking.stats,
    Asking.completions,
    Asking.histogram,
    Asking.fields,
    Asking.patterns,
    Asking.event,
    Asking.context,
    Asking.trace,
    Asking.tail,
    Asking.export,
    Asking.exports,
    Asking.saved,
)
"""They have answers for every account; BETA's have SECRET."""

MISSING: tuple[Kind, ...] = (
    Asking.foreign_export,
    Asking.foreign_saved,
    Asking.change_foreign,
    Asking.delete_foreign,
)
"""They are about what only BETA has."""


def _takes_a_filter(operation: Operation) -> bool:
    """Whether the operation answers a filter at once."""
    form = operation.body.content.get(JSON) if operation.body else None
    return isinstance(form, type) and issubclass(form, FilterBody) and 200 in operation.replies


def _filtered(route: str) -> Kind:
    def kind(_asking: Asking, text: str) -> ForeignRequest:
        return ForeignRequest(route, _filter(text))

    kind.__name__ = route
    return kind


FILTERED = tuple(_filtered(route) for route, each in OPERATIONS.items() if _takes_a_filter(each))
"""A new route of search is among them."""

KINDS: tuple[Kind, ...] = (*ANSWERED, *MISSING, *FILTERED, Asking.dry_run, Asking.formatted, Asking.save)


def dealt(random: Random) -> Iterator[Kind]:
    """All kinds in random order, again and again, so that few requests are of all kinds."""
    while True:
        yield from random.sample(KINDS, len(KINDS))


def _in_url(asked: ForeignRequest) -> ForeignRequest:
    """The same request with parameters instead of a body."""
    sent = {name: str(value) for name, value in asked.body.items() if value is not None}
    return ForeignRequest(f"GET {asked.route.split()[1]}", query={"q": sent.pop("query"), **sent})


def _filter(text: str) -> dict[str, Any]:
    return {**EVER, "query": text.split("|", maxsplit=1)[0]}
