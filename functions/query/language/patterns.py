"""The patterns of `extract`: literal text with `<name>` where a field's value is.

    user <user> logged in from <address>

A value is the shortest text up to the literal behind it, and the last one extends to the end of the line.
`<_>` skips a value.
"""

import re

MAX_CHARACTERS = 500
_PLACE = re.compile(r"<([A-Za-z_][A-Za-z0-9_]{0,63})>")
SKIPPED = "_"


class PatternError(ValueError):
    """`expected`: what a pattern may be."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


def pattern_names(pattern: str) -> list[str]:
    """The names of the fields in their order.

    Raises
    ------
    PatternError: two values without text between them, or a pattern that is too long.
    """
    if len(pattern) > MAX_CHARACTERS or "\0" in pattern:
        raise PatternError(f"a pattern of at most {MAX_CHARACTERS} characters")
    literals = _PLACE.split(pattern)[::2]
    if not all(literals[1:-1]):
        raise PatternError("text between two values of a pattern")
    found = [name for name in _PLACE.findall(pattern) if name != SKIPPED]
    if len(set(found)) < len(found):
        raise PatternError("a different name for each value of a pattern")
    return found


def as_regex(pattern: str) -> str:
    """The RE2 expression of a pattern; its groups are the named values, in their order."""
    pieces = _PLACE.split(pattern)
    found = []
    for at, piece in enumerate(pieces):
        if at % 2 == 0:
            found.append(re.escape(piece) if piece else "")
            continue
        last = at == len(pieces) - 2 and not pieces[-1]
        value = r"[^\n]*" if last else "[^\\n]*?"
        found.append(value if piece == SKIPPED else f"({value})")
    return "".join(found)
