"""Find words of `words.REPLACED` in what people read: comments, docstrings, messages, documentation.

    python -m tests.language            the number of hits, held against ALLOWED
    python -m tests.language --list     each hit with its place and the word to use

Names of modules, classes and functions count too: `_told_apart` is a hit as much as "told apart". Code fences
and inline code of Markdown, and string literals without a blank (keys, SQL identifiers), do not count. Of the
dashboard's sources every line counts, because its texts stand between tags.
"""

import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.language.words import REPLACED

ROOT = Path(__file__).parents[2]
READ = ("*.py", "*.md", "web/src/*.ts", "web/src/*.tsx", ":!web/src/api/schema.d.ts")
_OWN = ("tests/language/", "tests/unit/test_language.py")
_PATTERNS = [
    (re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE), use) for words, use in REPLACED.items()
]
_OF_RETENTION = "expired, past retention"
_PAYMENTS = re.compile(r"billing|account_status")
"""A payment is due and overdue, in Stripe's words too; rows and sessions expire."""

_NOUN = "a noun: the limit of, the size of"
_OF_TESTS = ("tests/", "bench/")

_CODE = re.compile(r"`[^`]*`")


@dataclass(frozen=True, slots=True)
class Hit:
    """A word at `path:line`, and what to use instead."""

    path: str
    line: int
    word: str
    use: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word!r}: use {self.use}"


def scan(root: Path = ROOT) -> Iterator[Hit]:
    """All hits in the files that git tracks, in the order of their paths."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *READ], cwd=root, capture_output=True, text=True, check=True
    )
    for name in sorted(filter(None, listed.stdout.split("\0"))):
        if not name.startswith(_OWN):
            text = (root / name).read_text(encoding="utf-8")
            yield from hits(name, text)


def hits(path: str, text: str) -> Iterator[Hit]:
    """The hits in one file's text."""
    read = _READERS.get(Path(path).suffix, _of_script)
    for line, piece in read(text):
        for pattern, use in _PATTERNS:
            if use == _OF_RETENTION and _PAYMENTS.search(path):
                continue
            if use == _NOUN and path.startswith(_OF_TESTS):
                continue
            for found in pattern.finditer(piece):
                yield Hit(path, line + piece.count("\n", 0, found.start()), found[0], use)


def _of_python(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        line = token.start[0]
        if token.type == tokenize.COMMENT:
            yield line, token.string
        elif token.type == tokenize.NAME and "_" in token.string:
            yield line, token.string.replace("_", " ")
        elif token.type == tokenize.STRING and " " in token.string:
            yield line, _CODE.sub(" ", token.string)
        elif token.type == getattr(tokenize, "FSTRING_MIDDLE", -1) and " " in token.string:
            yield line, token.string


def _of_markdown(text: str) -> Iterator[tuple[int, str]]:
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, _CODE.sub(" ", line)


def _of_script(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        yield number, _CODE.sub(" ", line)


_READERS = {".py": _of_python, ".md": _of_markdown}
