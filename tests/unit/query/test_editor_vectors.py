"""The page's colours of a query follow the scanner: vectors that both sides read.

`python -m tests.unit.query.test_editor_vectors` writes them again after a change of the language.
"""

import json
import re
from typing import Any, ClassVar

import pytest

from functions.query.language import names, parser, pipe_parser
from functions.query.language.scanner import Scanner
from local.naming import PROJECT_ROOT

VECTORS = PROJECT_ROOT / "web" / "src" / "search" / "editor" / "vectors.json"
DOCUMENTED = PROJECT_ROOT / "docs" / "query.md"

MORE = (
    "",
    "*",
    'level:(error OR warn) service:payment "declined by the bank" -@test:true',
    "a AND NOT b OR -(c d)",
    "-level:info --x NOT NOT y",
    "status:(>=500 OR NOT * OR (1 2))",
    "@`a | b`:1 `odd``name`:x",
    "path:/^.orders.[0-9]+$/ /OUT/i /api/v1",
    'x:"a \\" b" y:"c"*d* *two words* msg:*connection re*',
    "a:*b c:d* *e f:g*",
    "time:[2026-11-23T10:00:00Z TO *] d:[-1.5e3 TO 2] url:http://a:80/b",
    "ünï:日本 наст* @a.b-c$d:x 👩‍👧 z",
    "OR_x ANDy TOx level:>=warn n:>1",
    "a | stats count() as n, p95(duration_ms) by service, bucket(5m) | sort -n | limit 20",
    "* | top 5 service | where service:a* | fields service, count",
    'x | extract pattern "user <who> in" | extract /(?P<a>b)/ from path | dedup who, @`odd name`',
    "* | stats count() as n by user | where n:>1 user:(a OR b)",
)

Span = tuple[str, int, int]


class RecordingScanner(Scanner):
    """A scanner that notes the lexical forms it has read, with their ranges."""

    made: ClassVar["list[RecordingScanner]"] = []

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.spans: set[Span] = set()
        self.made.append(self)

    def quoted(self) -> str | None:
        began = self.at
        found = super().quoted()
        self._note("string", began, found is not None)
        return found

    def expression(self) -> Any:
        began = self.at
        found = super().expression()
        self._note("regex", began, found is not None)
        return found

    def keyword(self, word: str) -> bool:
        began = self.at
        found = super().keyword(word)
        if found:
            self.spans.add(("keyword", began, began + len(word)))
        return found

    def take(self, literal: str) -> bool:
        began = self.at
        found = super().take(literal)
        if found and literal == "bucket(":
            self.spans.add(("function", began, self.at - 1))
        return found

    def parts(self, chunk: re.Pattern[str]) -> tuple[list[str], bool]:
        began = self.at
        found = super().parts(chunk)
        text = self.text[began : self.at]
        if self.peek() == ":" and names.BARE.fullmatch(text):
            self.spans.add(("field", began, self.at))
            return found
        for piece in re.finditer(r'"(?:[^"\\]|\\.)*"|[^"*]+', text, re.DOTALL):
            if not piece[0].startswith('"'):
                self.spans.add(("text", began + piece.start(), began + piece.end()))
        return found

    def bound(self) -> tuple[str, bool] | None:
        began = self.at
        found = super().bound()
        self._note("text", began, found is not None and not found[1])
        return found

    def name(self, *expected: str) -> tuple[str, bool]:
        began = self.at
        found = super().name(*expected)
        self._note("field", began, True)
        return found

    def word(self) -> str:
        began = self.at
        found = super().word()
        kind = "pipe" if self.text[:began].rstrip().endswith("|") else "function"
        is_unit = self.text[began - 1 : began].isdigit()
        self._note(kind, began, bool(found) and not is_unit)
        return found

    def whole(self, expected: str, least: int, most: int) -> int:
        began = self.at
        found = super().whole(expected, least, most)
        unit = re.compile("[smhd]?").match(self.text, self.at)
        self.spans.add(("text", began, unit.end() if unit else self.at))
        return found

    def _note(self, kind: str, began: int, was_read: bool) -> None:
        if was_read and self.at > began:
            self.spans.add((kind, began, self.at))


def _documented() -> list[str]:
    """The queries of docs/query.md, without what they find."""
    blocks = re.findall(r"```query\n(.*?)```", DOCUMENTED.read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line and not line.startswith("=>")]
    return [re.split(r"\s+-> ?|\s+->$", line)[0].rstrip() for line in lines]


def _spans(text: str, monkeypatch: pytest.MonkeyPatch) -> list[Span]:
    monkeypatch.setattr(parser, "Scanner", RecordingScanner)
    RecordingScanner.made.clear()
    parser.parse(text)
    (scanner,) = RecordingScanner.made
    return sorted(scanner.spans, key=lambda span: span[1:])


def _vectors(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    queries = dict.fromkeys([*_documented(), *MORE])
    return [
        {"query": query, "tokens": [list(span) for span in _spans(query, monkeypatch)]} for query in queries
    ]


def test_the_vectors_of_the_page_are_those_of_the_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(VECTORS.read_text()) == _vectors(monkeypatch), (
        "run: python -m tests.unit.query.test_editor_vectors"
    )


def test_the_page_knows_the_pipes_and_functions_of_the_language() -> None:
    source = (VECTORS.parent / "tokens.ts").read_text()
    pipes = re.search(r"PIPES = (\[.*?\])", source)
    assert pipes
    assert sorted(json.loads(pipes[1])) == sorted(pipe_parser.PIPES)
    known = re.search(r"FUNCTION = /\^(.*)\$/;", source)
    assert known
    assert all(re.fullmatch(known[1], name) for name in (*pipe_parser.FUNCTIONS, "bucket"))


def main() -> None:
    with pytest.MonkeyPatch.context() as patched:
        text = json.dumps(_vectors(patched), ensure_ascii=False, indent=1)
    VECTORS.write_text(text + "\n")


if __name__ == "__main__":
    main()
