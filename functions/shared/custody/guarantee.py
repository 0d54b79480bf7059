"""What the engine of a table of events promises about a batch that is sent twice. Pure.

ClickHouse drops a block whose token it remembers; how many it remembers, if any, is the table's setting.
Everything else that exactly-once needs is ours and does not depend on the engine (docs/delivery.md).
"""

import re
from dataclasses import dataclass

EXACTLY_ONCE, AT_LEAST_ONCE = "exactly_once", "at_least_once"

_SETTING = re.compile(r"(?<![a-z_])([a-z_]+) = '?(\d+)'?")
_WINDOW = {
    "MergeTree": "non_replicated_deduplication_window",
    "ReplicatedMergeTree": "replicated_deduplication_window",
    "SharedMergeTree": "replicated_deduplication_window",
}
_DEFAULTS = {"non_replicated_deduplication_window": 0, "replicated_deduplication_window": 10_000}
"""Of ClickHouse 26.2 to 26.9; a server's configuration may have others, and a probe shows if they are 0."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """`name` is EXACTLY_ONCE or AT_LEAST_ONCE; `why` a sentence; `advice` another, if more can be had."""

    name: str
    why: str
    advice: str | None = None


def guarantee_of(engine: str, engine_full: str) -> Guarantee:
    """The guarantee of a table, told from `engine` and `engine_full` of its row in system.tables."""
    name = _WINDOW.get(engine)
    if name is None:
        return _other(engine)
    window = _settings(engine_full).get(name, _DEFAULTS[name])
    if window == 0:
        return Guarantee(
            AT_LEAST_ONCE,
            "The table remembers no batches, so one whose answer was lost may be stored twice.",
            f"Run ALTER TABLE events MODIFY SETTING {name} = 100000.",
        )
    return Guarantee(EXACTLY_ONCE, f"{engine} remembers the last {window} batches and drops a repeated one.")


def not_kept(guarantee: Guarantee) -> Guarantee:
    """What is left of `guarantee` when a repeated batch was seen to be stored twice."""
    if guarantee.name == AT_LEAST_ONCE:
        return guarantee
    return Guarantee(
        AT_LEAST_ONCE,
        "The table would drop repeated batches, but one that was sent twice was stored twice.",
        "Let the user's profile leave insert_deduplicate, deduplicate_insert and compatibility as they are.",
    )


def _other(engine: str) -> Guarantee:
    rows = " and may merge rows into one" if engine.endswith("MergeTree") else ""
    known = engine if re.fullmatch(r"[A-Za-z]{1,64}", engine) else "of that kind"
    return Guarantee(
        AT_LEAST_ONCE,
        f"A table {known} does not drop repeated batches{rows}.",
        "Let events be a MergeTree, ReplicatedMergeTree or SharedMergeTree table, as our SQL creates it.",
    )


def _settings(engine_full: str) -> dict[str, int]:
    """The table's own settings that are numbers; they come last, after anything that may quote text."""
    _, found, settings = engine_full.rpartition(" SETTINGS ")
    return {name: int(value) for name, value in _SETTING.findall(settings)} if found else {}
