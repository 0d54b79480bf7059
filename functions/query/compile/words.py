"""Words and phrases in the message, compiled to conditions that its index answers.

    timeout "connection reset"

finds messages that contain the word timeout and the phrase, ignoring case. A word is a run of letters and
digits. A text with separators (`/api/v1`, `user-42`, a phrase) must be in the message literally, and each of
its words must be a whole word there.
"""

import re

from functions.query.bindings import Bindings

MAX_INDEXED_WORDS = 4
"""Words of one term that use the index; more would cost planning time and find the same rows."""

# ASCII separators split words; every non-ASCII character is part of a word, as in the engine's index.
WORD = re.compile(r"[0-9A-Za-z\u0080-\U0010ffff]+")
_WORD_CHARACTER = r"[0-9a-z\x{80}-\x{10ffff}]"
_SEPARATOR = r"[^0-9a-z\x{80}-\x{10ffff}]"


def contains(text: str, bindings: Bindings) -> str:
    """SQL that is 1 for messages that contain `text`, and each of its words as a whole word.

    The word conditions come first: the index over the message answers them.
    """
    words = WORD.findall(text)
    parts = [_has_word(word, bindings) for word in _indexed_words(words)]
    if words != [text]:
        parts.append(f"position(lowerUTF8(message), lowerUTF8({bindings.text(text)})) > 0")
    return f"({' AND '.join(parts)})"


def contains_like(parts: tuple[str, ...], bindings: Bindings) -> str:
    """SQL that is 1 for messages with `parts` and only letters and digits between them, at edges of words."""
    first, last = parts[0], parts[-1]
    pattern = f"{_WORD_CHARACTER}*".join(map(_escaped, parts))
    if first and WORD.fullmatch(first[0]):
        pattern = f"(?:^|{_SEPARATOR}){pattern}"
    if last and WORD.fullmatch(last[-1]):
        pattern = f"{pattern}(?:{_SEPARATOR}|$)"
    check = f"match(lowerUTF8(message), lowerUTF8({bindings.text(pattern)}))"
    return f"({' AND '.join([*required(parts, bindings), check])})"


def required(parts: tuple[str, ...], bindings: Bindings) -> list[str]:
    """SQL of words that a message has if it consists of `parts` with anything between, for the index.

    A word next to a gap may be a part of a longer one, so it is not required.
    """
    found: list[str] = []
    for at, part in enumerate(parts):
        words = [
            match[0]
            for match in WORD.finditer(part)
            if (match.start() > 0 or at == 0) and (match.end() < len(part) or at == len(parts) - 1)
        ]
        found += words
    return longest(found, bindings)


def longest(words: list[str], bindings: Bindings) -> list[str]:
    """SQL that skips granules without the longest of `words`, all of which a message has."""
    found = sorted(dict.fromkeys(words), key=len, reverse=True)
    return [_has_word(word, bindings) for word in found[:MAX_INDEXED_WORDS]]


def _has_word(word: str, bindings: Bindings) -> str:
    return f"hasToken(lowerUTF8(message), lowerUTF8({bindings.text(word)}))"


def _escaped(text: str) -> str:
    """`text` as a regular expression: RE2 reads every ASCII punctuation after a backslash as itself."""
    return re.sub(r"([!-/:-@\[-^`{-~])", r"\\\1", text)


def _indexed_words(words: list[str]) -> list[str]:
    """The first and the last of `words`, which must be whole words, and the longest of the others.

    Inner words are enclosed by separators of the term, so wherever the term occurs they are whole words.
    """
    if len(words) <= MAX_INDEXED_WORDS:
        return words
    inner = sorted(dict.fromkeys(words[1:-1]), key=len, reverse=True)
    return [words[0], *inner[: MAX_INDEXED_WORDS - 2], words[-1]]
