"""Words that every text has which a regular expression matches, for the index over words. Pure.

Only literals outside of groups count. A word is required if a separator is next to it on both sides, because
what is next to the match may be a letter: `/connection reset by peer \\d+/` requires reset, by and peer.
"""

import re

from functions.query.compile.words import WORD

_GROUP_OR_CLASS_END = {"(": ")", "[": "]"}
_CONTROLS = {"f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_REPETITION = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
_EDGES = "^$"
_LINE_BREAK = "\n"


def required_words(pattern: str, *, ignore_case: bool) -> list[str]:
    """The words that a text must have to match; none if the pattern has alternatives outside of groups.

    `pattern` is one that functions.query.language.regex accepts.
    """
    runs = _literal_runs(pattern)
    inner = [
        match[0]
        for run in runs
        for match in WORD.finditer(run)
        if match.start() > 0 and match.end() < len(run)
    ]
    # Of ASCII letters, only k and s are equal to others when case is ignored; those of k become k.
    folds = ignore_case or "(?" in pattern
    return [
        word for word in dict.fromkeys(inner) if not folds or (word.isascii() and "s" not in word.lower())
    ]


def _literal_runs(pattern: str) -> list[str]:
    """Texts that are in every match as they are; the edge of a line is a line break."""
    runs: list[str] = []
    run, at = "", 0
    while at < len(pattern):
        if pattern[at] == "|":
            return []
        literal, end = _atom(pattern, at)
        repetition = _REPETITION.match(pattern, end)
        at = repetition.end() if repetition else end
        if literal is None or repetition:
            runs.append(run)
            run = ""
        else:
            run += literal
    return [*runs, run]


def _atom(pattern: str, at: int) -> tuple[str | None, int]:
    """The character that the atom at `at` stands for, None for another atom; and where it ends."""
    character = pattern[at]
    if character in _GROUP_OR_CLASS_END:
        return None, _end_of(pattern, at)
    if character == ".":
        return None, at + 1
    if character in _EDGES:
        return _LINE_BREAK, at + 1
    if character != "\\":
        return character, at + 1
    following = pattern[at + 1]
    if following in _CONTROLS:
        return _CONTROLS[following], at + 2
    if following == "x":
        return None, pattern.index("}", at) + 1 if pattern[at + 2] == "{" else at + 4
    return (None if following.isalnum() else following), at + 2


def _end_of(pattern: str, at: int) -> int:
    """Behind the group or class that begins at `at`."""
    depth = 0
    while True:
        character = pattern[at]
        if character == "\\":
            at += 2
            continue
        if character == "[":
            at = _end_of_class(pattern, at)
        else:
            depth += {"(": 1, ")": -1}.get(character, 0)
            at += 1
        if depth == 0:
            return at


def _end_of_class(pattern: str, at: int) -> int:
    at += 1
    if pattern.startswith("^", at):
        at += 1
    first = True
    while first or pattern[at] != "]":
        first = False
        if pattern.startswith("[:", at):
            at = pattern.index(":]", at) + 2
        else:
            at += 2 if pattern[at] == "\\" else 1
    return at + 1
