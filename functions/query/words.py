"""`q`, the words of a search: read from text, written as conditions on the message.

    timeout "connection reset" -health

asks for messages with the word timeout, with the phrase, and without the word health, in any case. A word
is a run of letters and digits; what is asked for in one breath (`/api/v1`, `user-42`, a phrase) must stand
in the message as it is, and each of its words must be a whole word there.
"""

import re
from dataclasses import dataclass

from functions.query.bindings import Bindings

MAX_TERMS = 32
MAX_INDEXED_WORDS = 4
"""Of one term, for the index: what asks for more of them costs planning and finds the same."""

_TERM = re.compile(r'(?P<negated>-(?=[^\s]))?(?:"(?P<phrase>[^"]*)"?|(?P<text>\S+))')
# ASCII separators part words; all beyond ASCII belongs to a word. This is how the engine's index cuts.
_WORD = re.compile(r"[0-9A-Za-z\u0080-\U0010ffff]+")


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase that the message must hold, or must not when `negated`."""

    text: str
    negated: bool = False

    @property
    def words(self) -> list[str]:
        return _WORD.findall(self.text)


def parse(q: str) -> tuple[Term, ...]:
    """The terms of `q`; a quotation mark that is never closed runs to the end. Empty phrases ask nothing."""
    found = (
        Term(match["phrase"] if match["phrase"] is not None else match["text"], bool(match["negated"]))
        for match in _TERM.finditer(q)
    )
    return tuple(term for term in found if term.text)


def condition(term: Term, bindings: Bindings) -> str:
    """SQL that is 1 for the messages `term` asks for.

    The words come first: they are what the index over the message answers.
    """
    words = term.words
    parts = [
        f"hasToken(lowerUTF8(message), lowerUTF8({bindings.text(word)}))" for word in _indexed_words(words)
    ]
    if words != [term.text]:
        parts.append(f"position(lowerUTF8(message), lowerUTF8({bindings.text(term.text)})) > 0")
    held = " AND ".join(parts)
    return f"NOT ({held})" if term.negated else f"({held})"


def _indexed_words(words: list[str]) -> list[str]:
    """The first and the last of `words`, which must be whole words, and the longest of the others.

    Those in between stand between separators of the term, so where the term stands they are whole words.
    """
    if len(words) <= MAX_INDEXED_WORDS:
        return words
    inner = sorted(dict.fromkeys(words[1:-1]), key=len, reverse=True)
    return [words[0], *inner[: MAX_INDEXED_WORDS - 2], words[-1]]
