"""Check a regular expression against the subset of RE2 that the engine compiles within bounds.

The subset: literals, `.`, classes (also `[[:alpha:]]`), `\\d \\D \\w \\W \\s \\S \\b \\B \\A \\z`, escaped
punctuation and control characters, `\\x41`, groups (named ones too), flags `i m s U`, alternatives, and
repetitions of up to 1,000, lazy ones too. RE2 has no lookaround and no backreferences.

RE2 runs in time linear in the text, but its program grows with repetitions: `(x{100}){100}` has 10,000
instructions. So the size of the program is estimated here and limited.
"""

import re
from typing import NoReturn

MAX_CHARACTERS = 500
MAX_PROGRAM = 4000
MAX_REPEAT = 1000
MAX_DEPTH = 20
CLASS_SIZE = 10
"""Instructions of a class or `.`, which RE2 compiles to ranges of UTF-8 bytes."""

_REPEAT = re.compile(r"\{(\d{1,9})(?:(,)(\d{1,9})?)?\}")
_GROUP = re.compile(
    r"\?(?:P?<(?P<name>[A-Za-z_][A-Za-z0-9_]{0,63})>|(?P<flags>[imsU]*(?:-[imsU]+)?)(?P<end>[:)]))"
)
_HEX = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")
_POSIX = re.compile(
    r"\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]"
)
_PUNCTUATION = re.compile(r"[ -/:-@\[-^`{-~]")
_CLASSES = "dDwWsS"
_EDGES = "bBAz"
_CONTROLS = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}


class RegexError(ValueError):
    """`position`: of the first wrong character, from 0. `expected`: what may be there."""

    def __init__(self, position: int, expected: str, reason: str = "") -> None:
        super().__init__(expected)
        self.position, self.expected, self.reason = position, expected, reason


def group_names(pattern: str) -> list[str | None]:
    """The names of the groups of `pattern` in their order; None for a group without a name.

    Raises
    ------
    RegexError: the pattern is not in the subset, or too large.
    """
    return _RegexChecker(pattern).check()


class _RegexChecker:
    """One pass over a pattern; sizes are (instructions, repetitions)."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._names: list[str | None] = []

    def check(self) -> list[str | None]:
        if not self._pattern:
            raise RegexError(0, "an expression between the slashes")
        if len(self._pattern) > MAX_CHARACTERS:
            raise RegexError(MAX_CHARACTERS, f"at most {MAX_CHARACTERS} characters in an expression")
        if "\0" in self._pattern:
            raise RegexError(self._pattern.index("\0"), "no zero byte")
        self._alternatives(0)
        if self._at < len(self._pattern):
            self._fail("the end of the expression", "this ')' closes no group")
        return self._names

    def _alternatives(self, depth: int) -> tuple[int, int]:
        size, repeats = 0, 1
        while True:
            while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
                began = self._at
                one, times = self._repeated(depth)
                size, repeats = size + one, max(repeats, times)
                if size > MAX_PROGRAM:
                    raise RegexError(began, "a smaller expression", "it repeats too much")
            if not self._pattern.startswith("|", self._at):
                return size + 1, repeats
            self._at, size = self._at + 1, size + 2

    def _repeated(self, depth: int) -> tuple[int, int]:
        began = self._at
        repeatable, size, repeats = self._atom(depth)
        counted = _REPEAT.match(self._pattern, self._at)
        sign = self._pattern[self._at : self._at + 1]
        if not counted and sign not in ("*", "+", "?"):
            return size, repeats
        if not repeatable:
            self._fail("something to repeat before this", f"'{self._pattern[began : self._at]}' has no width")
        times = self._times(counted) if counted else 1
        self._at = counted.end() if counted else self._at + 1
        if self._pattern.startswith("?", self._at):
            self._at += 1
        if self._pattern.startswith(("*", "+", "?"), self._at) or _REPEAT.match(self._pattern, self._at):
            self._fail("no second repetition")
        if repeats * times > MAX_REPEAT:
            raise RegexError(began, f"at most {MAX_REPEAT:,} repetitions, nested ones multiplied")
        return size * max(1, times) + 1, repeats * max(1, times)

    def _times(self, counted: re.Match[str]) -> int:
        least = int(counted[1])
        most = int(counted[3]) if counted[3] else least
        if least > most or most > MAX_REPEAT:
            self._fail(f"a repetition of at most {MAX_REPEAT:,}, the smaller number first")
        return most

    def _atom(self, depth: int) -> tuple[bool, int, int]:
        """Whether it can be repeated, and its size."""
        character = self._pattern[self._at]
        if character == "(":
            return self._group(depth)
        if character == "[":
            self._class()
            return True, CLASS_SIZE, 1
        if character == "\\":
            return self._escape()
        if character in "*+?":
            self._fail("something to repeat before this")
        if _REPEAT.match(self._pattern, self._at):
            self._fail("something to repeat before this")
        self._at += 1
        if character in "^$":
            return False, 1, 1
        return True, CLASS_SIZE if character == "." else len(character.encode()), 1

    def _group(self, depth: int) -> tuple[bool, int, int]:
        began = self._at
        if depth >= MAX_DEPTH:
            self._fail(f"at most {MAX_DEPTH} groups inside each other")
        self._at += 1
        if self._pattern.startswith("?", self._at):
            special = _GROUP.match(self._pattern, self._at)
            if not special:
                self._fail("a group: (…), (?:…), (?P<name>…) or (?i)", "RE2 has no lookaround")
            self._at = special.end()
            if special["name"]:
                self._name(special)
            if special["end"] == ")":
                if not special["flags"]:
                    self._fail("flags, such as (?i)")
                return False, 0, 1
        else:
            self._names.append(None)
        size, repeats = self._alternatives(depth + 1)
        if not self._pattern.startswith(")", self._at):
            raise RegexError(began, "a ')' for this group")
        self._at += 1
        return True, size + 2, repeats

    def _name(self, group: re.Match[str]) -> None:
        if group["name"] in self._names:
            raise RegexError(group.start("name"), "another name: this one is taken")
        self._names.append(group["name"])

    def _escape(self) -> tuple[bool, int, int]:
        following = self._pattern[self._at + 1 : self._at + 2]
        if following and following in _EDGES:
            self._at += 2
            return False, 1, 1
        if following and following in _CLASSES:
            self._at += 2
            return True, CLASS_SIZE, 1
        self._character()
        return True, 4, 1

    def _character(self) -> int:
        """One character, escaped or not; its code point."""
        character = self._pattern[self._at]
        if character != "\\":
            self._at += 1
            return ord(character)
        following = self._pattern[self._at + 1 : self._at + 2]
        if hexadecimal := _HEX.match(self._pattern, self._at + 1):
            return self._hexadecimal(hexadecimal)
        if following not in _CONTROLS and not _PUNCTUATION.fullmatch(following):
            self._fail(
                "an escape of RE2, such as \\d, \\w, \\s, \\b, \\. or \\x41",
                "RE2 has no backreferences" if following.isdigit() else "",
            )
        self._at += 2
        return ord(_CONTROLS.get(following, following))

    def _hexadecimal(self, found: re.Match[str]) -> int:
        point = int(found[1] or found[2], 16)
        if not 0 < point <= 0x10FFFF or 0xD800 <= point < 0xE000:
            self._fail("a character from \\x{1} to \\x{10ffff}, without surrogates")
        self._at = found.end()
        return point

    def _class(self) -> None:
        began = self._at
        self._at += 1
        if self._pattern.startswith("^", self._at):
            self._at += 1
        first = True
        while first or not self._pattern.startswith("]", self._at):
            if self._at >= len(self._pattern):
                raise RegexError(began, "a ']' for this class")
            self._class_item()
            first = False
        self._at += 1

    def _class_item(self) -> None:
        if posix := _POSIX.match(self._pattern, self._at):
            self._at = posix.end()
            return
        if self._pattern.startswith("[:", self._at):
            self._fail("a class such as [:alpha:]")
        began = self._at
        if self._pattern[self._at] == "\\" and self._pattern[self._at + 1 : self._at + 2] in tuple(_CLASSES):
            self._at += 2
            return
        low = self._character()
        is_range = self._pattern.startswith("-", self._at) and not self._pattern.startswith("-]", self._at)
        if not is_range:
            return
        self._at += 1
        if self._at >= len(self._pattern):
            raise RegexError(began, "a ']' for this class")
        if self._character() < low:
            raise RegexError(began, "a range with the smaller character first")

    def _fail(self, expected: str, reason: str = "") -> NoReturn:
        raise RegexError(self._at, expected, reason)
