"""Reads a query's text from left to right: blanks, words, quoted text, names, values and expressions.

Each method reads one lexical form at the current position, and moves behind it. No form is read twice, so the
whole text is read in linear time.
"""

import re
from typing import NoReturn

from functions.query.language import names
from functions.query.language.errors import QuerySyntaxError
from functions.query.language.regex import RegexError, group_names

KEYWORDS = frozenset({"AND", "OR", "NOT", "TO"})

FREE_CHUNK = re.compile(r'[^\s()|"*:`]+')
"""Characters of a word in a filter."""

VALUE_CHUNK = re.compile(r'[^\s()|"*`]+')
"""Characters of a value without quotes; it may contain colons."""

_BOUND_CHUNK = re.compile(r'[^\s()|"*`\[\]]+')
_BLANKS = re.compile(r"\s+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_UNESCAPED = re.compile(r'\\(["\\])')
_BACKTICKS = re.compile(r"`((?:[^`]|``)*)`")
_EXPRESSION = re.compile(r"/((?:[^/\\\n]|\\.)*)/(i?)(?=[\s)|]|$)")
_SPACED = {
    FREE_CHUNK: re.compile(r'\*([^\s()|"*:`]+(?:[ \t]+[^\s()|"*:`]+)+)\*(?=[\s)|]|$)'),
    VALUE_CHUNK: re.compile(r'\*([^\s()|"*`]+(?:[ \t]+[^\s()|"*:`]+)+)\*(?=[\s)|]|$)'),
}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WHOLE = re.compile(r"[0-9]+")


class Scanner:
    """A position in a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fail(self, *expected: str, at: int | None = None, reason: str = "") -> NoReturn:
        """Raise the error at the current position, or at `at`."""
        raise QuerySyntaxError(self.text, self.at if at is None else at, expected, reason)

    @property
    def ended(self) -> bool:
        return self.at >= len(self.text)

    def peek(self, count: int = 1) -> str:
        """The next characters; fewer at the end."""
        return self.text[self.at : self.at + count]

    def blanks(self) -> bool:
        """Skip blanks; whether there were any."""
        found = _BLANKS.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found is not None

    def take(self, literal: str) -> bool:
        """Whether `literal` is next; skip it."""
        if not self.text.startswith(literal, self.at):
            return False
        self.at += len(literal)
        return True

    def keyword(self, word: str) -> bool:
        """Whether `word` is next as a whole word; skip it and the blanks behind it."""
        end = self.at + len(word)
        following = self.text[end : end + 1]
        if not self.text.startswith(word, self.at) or not (following.isspace() or following in '()|"'):
            return False
        self.at = end
        self.blanks()
        return True

    def boundary(self, ends: str = ")|") -> None:
        """Check that a term ends here: at a blank, one of `ends`, or the end of the text."""
        if not self.ended and not self.peek().isspace() and self.peek() not in ends:
            self.fail("a blank", "quotes around a text with such characters")

    def quoted(self) -> str | None:
        """A text in quotation marks, in which a backslash escapes `"` and a backslash."""
        if self.peek() != '"':
            return None
        found = _QUOTED.match(self.text, self.at)
        if not found:
            reason = f"it opens in column {self.at + 1}"
            self.fail("a closing quotation mark", at=len(self.text), reason=reason)
        self.at = found.end()
        return _UNESCAPED.sub(r"\1", found[1])

    def expression(self) -> tuple[str, bool, list[str | None]] | None:
        """A regular expression between slashes: its text, whether it ignores case, and its groups.

        None when no closing slash ends a term, as in a path: that is a word.
        """
        found = _EXPRESSION.match(self.text, self.at) if self.peek() == "/" else None
        if not found:
            return None
        # `\/` is a slash; the position in the text stays that of the expression, because it is checked as is.
        try:
            groups = group_names(found[1])
        except RegexError as fault:
            self.fail(fault.expected, at=found.start(1) + fault.position, reason=fault.reason)
        self.at = found.end()
        return found[1], bool(found[2]), groups

    def parts(self, chunk: re.Pattern[str]) -> tuple[list[str], bool]:
        """Chunks, quoted texts and stars without blanks between them.

        Returns the parts between stars, and whether any of them was quoted.

        `*two words*` is read as one, although its blanks are not quoted.
        """
        spaced = _SPACED[chunk].match(self.text, self.at) if self.peek() == "*" else None
        if spaced and not any(_joins(word) for word in spaced[1].split()[1:]):
            self.at = spaced.end()
            return ["", spaced[1], ""], False
        parts, quoted = [""], False
        while True:
            piece = self.quoted()
            if piece is not None:
                quoted = True
                parts[-1] += piece
            elif self.take("*"):
                if len(parts) == 1 or parts[-1]:
                    parts.append("")
            elif found := chunk.match(self.text, self.at):
                self.at = found.end()
                parts[-1] += found[0]
            else:
                return parts, quoted

    def bound(self) -> tuple[str, bool] | None:
        """One end of `[a TO b]`, and whether it was quoted; None for `*`."""
        if self.take("*"):
            return None
        quoted = self.quoted()
        if quoted is not None:
            return quoted, True
        found = _BOUND_CHUNK.match(self.text, self.at)
        if not found or found[0] in KEYWORDS:
            self.fail("a value", "*")
        self.at = found.end()
        return found[0], False

    def name(self, *expected: str) -> tuple[str, bool]:
        """A field's name, and whether `@` is before it."""
        began = self.at
        forced = self.take("@")
        found = _BACKTICKS.match(self.text, self.at) or names.BARE.match(self.text, self.at)
        if not found:
            if self.peek() == "`":
                self.fail("a closing backtick", at=len(self.text))
            self.fail(*(expected or ("a field",)), at=began)
        self.at = found.end()
        return (found[1].replace("``", "`") if found.re is _BACKTICKS else found[0]), forced

    def word(self) -> str:
        """A run of letters, digits and `_`; empty when there is none."""
        found = _WORD.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found[0] if found else ""

    def whole(self, expected: str, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        found = _WHOLE.match(self.text, self.at)
        value = int(found[0]) if found and len(found[0]) < 10 else -1
        if not found or not least <= value <= most:
            self.fail(expected)
        self.at = found.end()
        return value


def _joins(word: str) -> bool:
    """Whether a word means more than its characters, so that blanks before it separate terms."""
    return word in KEYWORDS or word.startswith(("-", "/"))
