"""The one error of the language: where the text stops making sense, and what may be there."""

from collections.abc import Sequence

MAX_SHOWN = 30
MAX_LINE = 120
"""Characters of the line that is shown with a caret."""


class QuerySyntaxError(ValueError):
    """The text is not a query.

    Parameters
    ----------
    text: the whole query.
    position: of the first character that is wrong, from 0; the length of the text when something is missing.
    expected: what may be there, most likely first.
    reason: a sentence in addition; without it the message says what was found instead.
    """

    def __init__(self, text: str, position: int, expected: Sequence[str], reason: str = "") -> None:
        self.column = position + 1
        self.expected = tuple(expected)
        self.caret = _caret(text, position)
        found = text[position : position + MAX_SHOWN].split(maxsplit=1)
        nothing = "the end" if position >= len(text) else "a blank"
        blank = not found or text[position].isspace()
        instead = reason or (f"found {nothing}" if blank else f"found '{found[0]}'")
        super().__init__(f"Column {self.column}: expected {_either(self.expected)}; {instead}.")


def _either(expected: Sequence[str]) -> str:
    *most, last = expected
    return f"{', '.join(most)} or {last}" if most else last


def _caret(text: str, position: int) -> str:
    """The line of `position`, at most MAX_LINE characters of it, above a caret."""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start : end if end >= 0 else len(text)]
    cut = max(0, position - start - MAX_LINE // 2)
    shown = line[cut : cut + MAX_LINE].replace("\t", " ")
    return f"{shown}\n{' ' * (position - start - cut)}^"
