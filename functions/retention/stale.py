"""Staged objects that were not loaded in time: pure functions."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from functions.shared.buckets.contract import ListedObject
from functions.shared.events.staged_key import StagedKey, is_staged

STALE_AFTER = timedelta(minutes=15)
"""Longer than S3 needs to notify and sync to load, with the backlog of a short outage."""


def stale(listing: Iterable[ListedObject], now: datetime) -> list[ListedObject]:
    """The objects in `listing` that should have been loaded by `now`, oldest first; strays are left alone."""
    waiting = (each for each in listing if now - each.modified_at > STALE_AFTER and is_staged(each.key))
    return sorted(waiting, key=lambda each: (each.modified_at, each.key))


def expired(listing: Iterable[ListedObject], today: date) -> list[str]:
    """The keys of the objects in `listing` whose rows expired before `today`."""
    return [
        each.key for each in listing if is_staged(each.key) and StagedKey.parse(each.key).expired_by(today)
    ]
