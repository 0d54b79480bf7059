"""`filter_path`, by which a client asks for a part of an answer: names with `*`, `**` and `-` before them."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any, NamedTuple

MAX_CHARACTERS = 500
MAX_PATTERNS = 10
"""What is beyond is ignored: the longest that clients send has three."""

Pattern = tuple[str, ...]
"""Names from the root on, each with `*` for any characters, or `**` for any number of names."""


class FilterPath(NamedTuple):
    """Patterns of what is wanted, everything if there are none, and of what is not."""

    wanted: tuple[Pattern, ...] = ()
    unwanted: tuple[Pattern, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "FilterPath":
        patterns = [each.strip() for each in text[:MAX_CHARACTERS].split(",") if each.strip()][:MAX_PATTERNS]
        return cls(
            tuple(_parsed(each) for each in patterns if not each.startswith("-")),
            tuple(_parsed(each[1:]) for each in patterns if each.startswith("-")),
        )

    def left_of(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is left of an object; objects that become empty are gone."""
        if not self.wanted and not self.unwanted:
            return value
        return self._left(value, ()) or {}

    def wants(self, path: Pattern) -> bool:
        """Whether the value at `path` is left."""
        is_in = not self.wanted or any(_covers(pattern, path) for pattern in self.wanted)
        return is_in and not any(_covers(pattern, path) for pattern in self.unwanted)

    def _left(self, value: Any, path: Pattern) -> Any:
        if not isinstance(value, dict):
            return value if self.wants(path) else None
        parts = {name: self._left(each, (*path, name)) for name, each in value.items()}
        return {name: each for name, each in parts.items() if each is not None} or None


def _parsed(text: str) -> Pattern:
    """One pattern; `**` after `**` matches nothing more."""
    runs = [(name, list(run)) for name, run in groupby(text.split("."))]
    return tuple(name for name, run in runs for _ in (run[:1] if name == "**" else run))


def _covers(pattern: Pattern, path: Pattern) -> bool:
    """Whether `pattern` matches `path` or the beginning of it."""
    if not pattern:
        return True
    if not path:
        return False
    if pattern[0] == "**":
        return _covers(pattern[1:], path) or _covers(pattern, path[1:])
    return _matches(pattern[0], path[0]) and _covers(pattern[1:], path[1:])


def _matches(glob: str, name: str) -> bool:
    first, *others = glob.split("*")
    if not others:
        return name == first
    *middle, last = others
    at = len(first)
    if not name.startswith(first) or not name.endswith(last) or len(name) < len(first) + len(last):
        return False
    for part in middle:
        found = name.find(part, at, len(name) - len(last))
        if found < 0:
            return False
        at = found + len(part)
    return True
