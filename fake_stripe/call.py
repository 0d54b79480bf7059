"""One request as handlers see it, and list responses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fake_stripe import params
from fake_stripe.errors import invalid, missing
from fake_stripe.world import StripeObject, World

MAX_PAGE, DEFAULT_PAGE = 100, 10


@dataclass(frozen=True, slots=True)
class Call:
    """`path`: parameters of the URL path; `origin`: base URL of the pages, without a trailing slash."""

    params: StripeObject
    path: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    address: str = ""

    def only(self, names: str) -> StripeObject:
        """The parameters; rejects any that is not in `names`."""
        params.only(self.params, names)
        return self.params


Handler = Callable[[World, Call], StripeObject]
Route = tuple[str, str, Handler]


def retrieve(kind: str) -> Handler:
    def handler(world: World, call: Call) -> StripeObject:
        call.only("")
        return world.get(kind, call.path["id"], in_path=True)

    return handler


def listed(kind: str, filters: str = "") -> Handler:
    """A list of `kind`, newest first; `filters` are fields that must equal the parameter of that name."""

    def handler(world: World, call: Call) -> StripeObject:
        given = call.only(f"limit starting_after ending_before created {filters}")
        wanted = {name: given[name] for name in filters.split() if name in given}
        things = [each for each in world.all(kind) if _meets(each, wanted)]
        return page(call, [each for each in things if _within(each, given.get("created"))])

    return handler


def page(call: Call, oldest_first: list[StripeObject]) -> StripeObject:
    """One page of a list, with Stripe's `starting_after` and `ending_before`."""
    limit = params.whole(call.params, "limit", DEFAULT_PAGE) or 0
    if not 1 <= limit <= MAX_PAGE:
        raise invalid(f"Invalid limit: must be between 1 and {MAX_PAGE}", "limit")
    things = oldest_first[::-1]
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    if after:
        things = things[_place(things, after, "starting_after") + 1 :]
    if before:
        things = things[: _place(things, before, "ending_before")]
    chosen = things[-limit:] if before else things[:limit]
    return {"object": "list", "data": chosen, "has_more": len(things) > limit, "url": call.address}


def whole_list(things: list[StripeObject], url: str) -> StripeObject:
    """A list embedded in an object."""
    return {"object": "list", "data": things, "has_more": False, "url": url}


def _place(things: list[StripeObject], which: str, param: str) -> int:
    for place, thing in enumerate(things):
        if thing["id"] == which:
            return place
    raise missing("object", which, param, in_path=False)


def _meets(thing: StripeObject, wanted: StripeObject) -> bool:
    return all(_same(thing.get(name), value) for name, value in wanted.items())


def _same(is_now: Any, value: Any) -> bool:
    if isinstance(value, list):
        return any(_same(is_now, each) for each in value)
    return bool(value == (str(is_now).lower() if isinstance(is_now, bool) else is_now))


def _within(thing: StripeObject, created: Any) -> bool:
    if created is None:
        return True
    at = thing["created"]
    if isinstance(created, str):
        return bool(at == int(created))
    tests = {"gt": at.__gt__, "gte": at.__ge__, "lt": at.__lt__, "lte": at.__le__}
    return all(tests[name](int(value)) for name, value in created.items())
