"""How messages return after a crash: together or apart, in whatever order, late, or doubled."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from functions.sync.notifications import StagedObject

Group = list[StagedObject]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`regroup` makes the next deliveries of what is left; the flags change the world around them.

    `past_window`: the engine has forgotten the batch's token by then.
    `zombie`: the first insert arrives late.
    `gone`: an object vanished before it was read. `days_later`: when the messages are delivered again.
    """

    name: str
    regroup: Callable[[Group, random.Random], list[Group]]
    past_window: bool = False
    zombie: bool = False
    gone: bool = False
    days_later: int = 0
    within_lease_first: bool = False


def _same(left: Group, _chance: random.Random) -> list[Group]:
    return [left]


def _split(left: Group, chance: random.Random) -> list[Group]:
    middle = chance.randint(0, len(left))
    return [part for part in (left[:middle], left[middle:]) if part]


def _reordered(left: Group, chance: random.Random) -> list[Group]:
    return [chance.sample(left, len(left))]


def _duplicated(left: Group, chance: random.Random) -> list[Group]:
    return [left + chance.sample(left, len(left) // 2), left]


SCENARIOS = (
    Scenario("same group", _same),
    Scenario("split", _split),
    Scenario("merged", _same),
    Scenario("reordered", _reordered),
    Scenario("duplicated", _duplicated),
    Scenario("after the lease", _split, within_lease_first=True),
    Scenario("after the window", _split, past_window=True),
    Scenario("zombie insert", _split, zombie=True),
    Scenario("object gone", _split, gone=True),
    Scenario("redrive", _reordered, days_later=28),
)
