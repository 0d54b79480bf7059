"""Answers of both products in one form, so that they can be compared."""

import json
from collections.abc import Iterable

Buckets = dict[tuple[str, str], int]
"""The counts of a histogram by start and value, without those of 0."""


def our_times(answer: bytes) -> list[str]:
    """The times of the events of a page, newest first."""
    return [_nine_digits(each["timestamp"]) for each in json.loads(answer)["events"]]


def their_times(ndjson: bytes) -> list[str]:
    """The times of found events, newest first."""
    return sorted((_nine_digits(json.loads(line)["_time"]) for line in ndjson.splitlines()), reverse=True)


def our_buckets(answer: bytes) -> Buckets:
    """The counts of `POST /v1/histogram`."""
    found = json.loads(answer)
    return _buckets((series["value"], found["starts"], series["counts"]) for series in found["series"])


def their_buckets(answer: bytes) -> Buckets:
    """The counts of `hits` by level."""
    found = json.loads(answer)["hits"]
    return _buckets((each["fields"]["level"], each["timestamps"], each["values"]) for each in found)


def _buckets(series: Iterable[tuple[str, list[str], list[int]]]) -> Buckets:
    return {
        (_nine_digits(start), value): count
        for value, starts, counts in series
        for start, count in zip(starts, counts, strict=True)
        if count
    }


def our_rows(answer: bytes) -> list[tuple[str, ...]]:
    """The rows of `POST /v1/stats` as texts, in order of their text."""
    return sorted(tuple(map(str, row)) for row in json.loads(answer)["rows"])


def their_rows(ndjson: bytes, named: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The columns `named` of a table, in order of their text."""
    return sorted(tuple(row[name] for name in named) for row in map(json.loads, ndjson.splitlines()))


def _nine_digits(at: str) -> str:
    """An RFC 3339 time of UTC with nine digits of a second."""
    seconds, _, fraction = at.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction:0<9}Z"
