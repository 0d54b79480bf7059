"""Rejects easily guessed passwords: repetitions, the owner's own words, and the most common passwords.

A weak part does not count towards the required length of a password. So a weak password with enough strong
characters added is accepted, and one with more weak parts added is not. The common passwords are those of the
package zxcvbn, the most frequent first. Its estimator is not called: on 72 characters chosen to slow it down,
it takes 5 seconds of CPU (measured on version 4.5.0, 2026-11-29). Each rule here is linear in the length.
"""

import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

COMMON = 10_000
"""How many of the most common passwords are rejected."""

MIN_DISTINCT = 5
MIN_OWN_WORD = 3
MIN_RUN = 3

REPEATED = "must not be made of repeated characters or words, or of runs such as 1234: use several words"
OWN_WORDS = "must not be made of your e-mail address or name: they do not count towards the 12 characters"
COMMON_ONE = (
    "is one of the {most:,} most common passwords, or one of them and a few digits: use several words"
)

_LOOK_ALIKES = str.maketrans("@4831!05$7+", "aabeiiosstt")
_NO_LETTERS = r"[^a-z]*"
_WORD = re.compile(r"[^\W_]+")


def weakness(password: str, own_words: Iterable[str], min_characters: int) -> str | None:
    """What is wrong with `password`, as the end of a sentence; None when no rule rejects it.

    Parameters
    ----------
    own_words: the person's email address and name, unchanged.
    min_characters: required length without the weak part.
    """
    lowered = password.lower()
    if any(_beside_a_common_one(*each) < min_characters for each in _cores(lowered)):
        return COMMON_ONE.format(most=COMMON)
    words = {each for text in own_words for each in _words(text.lower())}
    if any(_without(words, each) < min_characters for each in _readings(lowered)):
        return OWN_WORDS
    if len(set(lowered)) < MIN_DISTINCT or _without_repetition(lowered) < min_characters:
        return REPEATED
    return None


def _without_repetition(text: str) -> int:
    """The length of `text` if a repeated piece, or a run such as `aaa` or `1234`, counts as one character."""
    piece = text[: (text + text).find(text, 1)]
    count, run, step = min(len(piece), 1), 1, None
    for before, each in pairwise(piece):
        taken = _step(before, each)
        if taken is None:
            run = 1
        elif taken == step:
            run += 1
        else:
            run = 2
        step = taken
        count += 1
        if run == MIN_RUN:
            count -= MIN_RUN - 1
        elif run > MIN_RUN:
            count -= 1
    return count


def _step(before: str, each: str) -> int | None:
    """0 for two equal characters, 1 or -1 for neighbors in the alphabet, None for anything else.

    9 is followed by 0.
    """
    step = ord(each) - ord(before)
    if before + each in ("90", "09"):
        return 1 if before == "9" else -1
    return step if step in (-1, 0, 1) else None


def _words(text: str) -> set[str]:
    """`text` itself, its local part and its words."""
    return {
        each for each in (text, text.partition("@")[0], *_WORD.findall(text)) if len(each) >= MIN_OWN_WORD
    }


def _without(words: set[str], text: str) -> int:
    """How many characters of `text` are in none of `words`."""
    longest_first = sorted(words | {each.translate(_LOOK_ALIKES) for each in words}, key=len, reverse=True)
    return len(re.sub("|".join(map(re.escape, longest_first)), "", text)) if words else len(text)


def _readings(text: str) -> tuple[str, str]:
    """`text` as it is, and with look-alike digits and signs replaced by letters."""
    return text, text.translate(_LOOK_ALIKES)


def _cores(text: str) -> list[tuple[str, int]]:
    """The possible undecorated forms of `text`, each with the number of decorating characters."""
    core = re.sub(rf"^{_NO_LETTERS}|{_NO_LETTERS}$", "", text)
    return [(each, len(text) - len(whole)) for whole in (text, core) for each in _readings(whole)]


def _beside_a_common_one(text: str, decoration: int) -> int:
    """How many characters count: all of them, or only those beside a common password."""
    return decoration if text in _common() else len(text) + decoration


@cache
def _common() -> frozenset[str]:
    """Loaded with the first password that is set, so a sign-in does not pay for it."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"][:COMMON])
