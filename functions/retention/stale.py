"""Staged objects that nobody came for, and the messages that tell sync of them: pure functions."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote_plus

from functions.shared.staging import is_staged

STALE_AFTER = timedelta(minutes=15)
"""Longer than S3 takes to notify and sync to load, with the backlog of a short outage."""

OBJECTS_A_MESSAGE = 250
"""About 100 KB; sync settles a message when all of its objects are."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A staged object as a listing shows it; `etag` without quotes."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime


def stale(listing: Iterable[Listed], now: datetime) -> list[Listed]:
    """Those of `listing` that should have been loaded by `now`, oldest first; strays are left alone."""
    waiting = (each for each in listing if now - each.modified_at > STALE_AFTER and is_staged(each.key))
    return sorted(waiting, key=lambda each: (each.modified_at, each.key))


def notifications(objects: list[Listed]) -> Iterator[str]:
    """Message bodies of the form S3 itself sends, OBJECTS_A_MESSAGE to a message."""
    for start in range(0, len(objects), OBJECTS_A_MESSAGE):
        records = [_record(each) for each in objects[start : start + OBJECTS_A_MESSAGE]]
        yield json.dumps({"Records": records}, separators=(",", ":"))


def _record(each: Listed) -> dict[str, object]:
    told = {"key": quote_plus(each.key), "size": each.size_bytes, "eTag": each.etag}
    return {"eventSource": "astralog:sweeper", "s3": {"object": told}}
