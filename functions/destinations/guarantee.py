"""The delivery guarantee of an events table: whether its engine drops a batch that is sent twice. Pure.

ClickHouse drops a block whose token it remembers; the table's settings say how many tokens it remembers.
Everything else that exactly-once needs is in our code and independent of the engine (docs/delivery.md).
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
"""The values in ClickHouse 26.2 to 26.9; a server's configuration may differ, and a probe detects a 0."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """`name` is EXACTLY_ONCE or AT_LEAST_ONCE; `why` a sentence; `advice` how to improve it, if possible."""

    name: str
    why: str
    advice: str | None = None


def guarantee_of(engine: str, engine_full: str) -> Guarantee:
    """The guarantee of a table, derived from `engine` and `engine_full` of its row in system.tables."""
    name = _WINDOW.get(engine)
    if name is None:
        return _other(engine)
    window = _settings(engine_full).get(name, _DEFAULTS[name])
    if window == 0:
        return Guarantee(
            AT_LEAST_ONCE,
            "The table remembers no batches, so a batch whose answer was lost may be stored twice.",
            f"Run ALTER TABLE events MODIFY SETTING {name} = 100000.",
        )
    return Guarantee(EXACTLY_ONCE, f"{engine} remembers the last {window} batches and drops a repeated one.")


def not_kept(guarantee: Guarantee) -> Guarantee:
    """The guarantee that remains when a test showed that a repeated batch was stored twice."""
    if guarantee.name == AT_LEAST_ONCE:
        return guarantee
    return Guarantee(
        AT_LEAST_ONCE,
        "The table should drop repeated batches, but a batch that was sent twice was stored twice.",
        "Remove insert_deduplicate, deduplicate_insert and compatibility from the user's settings profile.",
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
    """The table's own numeric settings; they are at the end, after any quoted text."""
    _, found, settings = engine_full.rpartition(" SETTINGS ")
    return {name: int(value) for name, value in _SETTING.findall(settings)} if found else {}
