"""The answer of the bulk API: one item for each action, in their order.

fluent-bit reads 512 kB of it and looks for `"errors":false,"items":[`; if that is missing it sends everything
again. So the answer is short: an item has its index only while all items stay below that length. Beyond it,
fluent-bit gets the failed items only. All other clients match items with documents by their places, and get
an item for each document.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Any

import msgspec

from functions.ingest.protocols.contract import IngestResult
from functions.ingest.protocols.elastic.bulk_body import ACTIONS, APPEND_ONLY, Action
from functions.ingest.protocols.elastic.filter_path import FilterPath
from functions.shared.events.judge import RejectedEvent

MAX_ANSWER_BYTES = 500_000
REASONS_BYTES = 150_000
"""For what is wrong with rejected documents; beyond it an item has its status only."""

_CREATED, _BAD_REQUEST = 201, 400
_READS_LITTLE = re.compile("fluent-bit", re.IGNORECASE)
_ITEM_BYTES = len('{"create":{"status":201}},')

_encode = msgspec.json.Encoder().encode


Outcomes = list[tuple[Action, RejectedEvent | None]]
"""Each action, with what was wrong with its document."""


def answer_text(result: IngestResult, actions: list[Action], user_agent: str, filters: FilterPath) -> str:
    """The answer as JSON, with what the filters leave of it.

    Parameters
    ----------
    actions: of all records of the result, in their order.
    user_agent: of the client.
    """
    head = filters.left_of({"took": 0, "errors": result.rejected > 0})
    causes = {each.index: each.cause for each in result.rejections}
    outcomes = [(action, causes.get(index)) for index, action in enumerate(actions)]
    items = _items(outcomes, not _READS_LITTLE.search(user_agent), filters)
    if not items and not filters.wants(("items",)):
        return _encode(head).decode()
    text = _encode({**head, "items": []}).decode()
    return f"{text[:-2]}{b','.join(items).decode()}]}}"


def _items(outcomes: Outcomes, is_each_needed: bool, filters: FilterPath) -> list[bytes]:
    """The items as JSON, in the longest form that is short enough."""
    if len(outcomes) * _ITEM_BYTES <= MAX_ANSWER_BYTES:
        items = list(_encoded(outcomes, filters))
        if _length(items) <= MAX_ANSWER_BYTES:
            return items
    short: Outcomes = [(_WITHOUT_INDEX[action.verb], cause) for action, cause in outcomes]
    items = list(_encoded(short, filters))
    if is_each_needed or _length(items) <= MAX_ANSWER_BYTES:
        return items
    failed = list(_encoded([each for each in short if each[1]], filters))
    ends = accumulate(len(item) + 1 for item in failed)
    return [item for item, end in zip(failed, ends, strict=True) if end <= MAX_ANSWER_BYTES]


_WITHOUT_INDEX = {verb: Action(verb, "") for verb in ACTIONS}


def _length(items: list[bytes]) -> int:
    return sum(map(len, items)) + len(items)


def _encoded(outcomes: Outcomes, filters: FilterPath) -> Iterator[bytes]:
    """The items that the filters leave, as JSON."""
    item = lru_cache(maxsize=4096)(_item)
    reasons_bytes = 0
    for action, cause in outcomes:
        encoded = item(action, cause, reasons_bytes <= REASONS_BYTES, filters)
        reasons_bytes += len(encoded) if cause else 0
        if encoded:
            yield encoded


def _item(action: Action, cause: RejectedEvent | None, has_reason: bool, filters: FilterPath) -> bytes:
    """One item; empty when the filters leave nothing of it."""
    result: dict[str, Any] = {"_index": action.index_name} if action.index_name else {}
    result["status"] = _BAD_REQUEST if cause else _CREATED
    if cause and has_reason:
        kind = "illegal_argument_exception" if cause is APPEND_ONLY else "document_parsing_exception"
        result["error"] = {"type": kind, "reason": f"{cause.reason} ({cause.code})"}
    left = filters.left_of({"items": {action.verb: result}})
    return _encode(left["items"]) if left else b""
