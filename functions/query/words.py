"""`q`, the search words: parsed from text and compiled to conditions on the message.

    timeout "connection reset" -health

finds messages that contain the word timeout and the phrase, but not the word health, ignoring case. A word
is a run of letters and digits. A term with separators (`/api/v1`, `user-42`, a phrase) must be in the
message literally, and each of its words must be a whole word there.
"""

import re
from dataclasses import dataclass

from functions.query.bindings import Bindings

MAX_TERMS = 32
MAX_INDEXED_WORDS = 4
"""Words of one term that use the index; more would cost planning time and find the same rows."""

_TERM = re.compile(r'(?P<negated>-(?=[^\s]))?(?:"(?P<phrase>[^"]*)"?|(?P<text>\S+))')
# ASCII separators split words; every non-ASCII character is part of a word, as in the engine's index.
_WORD = re.compile(r"[0-9A-Za-z\u0080-\U0010ffff]+")


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase that the message must contain, or must not contain when `negated`."""

    text: str
    negated: bool = False

    @property
    def words(self) -> list[str]:
        return _WORD.findall(self.text)


def parse(q: str) -> tuple[Term, ...]:
    """The terms of `q`; an unclosed quotation mark extends to the end. Empty phrases are ignored."""
    found = (
        Term(match["phrase"] if match["phrase"] is not None else match["text"], bool(match["negated"]))
        for match in _TERM.finditer(q)
    )
    return tuple(term for term in found if term.text)


def condition(term: Term, bindings: Bindings) -> str:
    """SQL that is 1 for messages that match `term`.

    The word conditions come first: the index over the message answers them.
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

    Inner words are enclosed by separators of the term, so wherever the term occurs they are whole words.
    """
    if len(words) <= MAX_INDEXED_WORDS:
        return words
    inner = sorted(dict.fromkeys(words[1:-1]), key=len, reverse=True)
    return [words[0], *inner[: MAX_INDEXED_WORDS - 2], words[-1]]
