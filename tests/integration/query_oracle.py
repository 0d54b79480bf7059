"""What a query means, in plain Python over a list of lines: the tests' oracle.

Queries are small trees of tuples. This module writes their text and evaluates them, and shares no code with
the parser and the compiler.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

ABSENT = object()
LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
TIMES = ("timestamp", "received_at")
COLUMNS = ("level", "service", "project_id", "message", "trace_id", *TIMES)
_WORD = re.compile(r"[0-9A-Za-z\u0080-\U0010ffff]+")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Line:
    """A stored event; `metadata` is its JSON text, times are RFC 3339."""

    tenant_id: str
    timestamp: str
    received_at: str
    level: str
    service: str
    project_id: str
    message: str
    trace_id: str
    metadata: str


@dataclass
class Row:
    """A row between pipes: of an event, or of a table; `outputs` are text, numbers or None."""

    line: Line | None
    outputs: dict[str, Any] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)


# --- The text of a query -----------------------------------------------------------------------------------


def text_of(tree: Any, pipes: Sequence[Any]) -> str:
    return " | ".join([_filter_text(tree), *map(_pipe_text, pipes)])


def _filter_text(tree: Any) -> str:
    match tree:
        case ("everything",):
            return "*"
        case ("and", operands):
            return " ".join(f"({_filter_text(each)})" for each in operands)
        case ("or", operands):
            return " OR ".join(f"({_filter_text(each)})" for each in operands)
        case ("not", operand):
            return f"NOT ({_filter_text(operand)})"
        case ("words", text):
            return _quoted(text)
        case ("wordlike", parts):
            return "*".join(_quoted(part) if part else "" for part in parts)
        case ("regex", None, pattern, ignore_case):
            return f"/{pattern}/{'i' if ignore_case else ''}"
        case (kind, name, *rest):
            return f"{_name(name)}:{_value_text(kind, rest)}"
    raise AssertionError(tree)


def _value_text(kind: str, rest: list[Any]) -> str:
    match kind, rest:
        case "equals", [values]:
            texts = [_literal(*value) for value in values]
            return texts[0] if len(texts) == 1 else f"({' OR '.join(texts)})"
        case "range", [sign, value]:
            return f"{sign}{_literal(*value)}"
        case "between", [low, high]:
            return f"[{_literal(*low)} TO {_literal(*high)}]"
        case "exists", []:
            return "*"
        case "like", [parts]:
            return "*".join(_quoted(part) if part else "" for part in parts)
        case "regex", [pattern, ignore_case]:
            return f"/{pattern}/{'i' if ignore_case else ''}"
    raise AssertionError(kind)


def _literal(text: str, quoted: bool) -> str:
    return _quoted(text) if quoted else text


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _name(name: str) -> str:
    """Paths begin with `@`; all others are columns and outputs."""
    sign, bare = ("@", name[1:]) if name.startswith("@") else ("", name)
    return f"{sign}`{bare}`"


def _pipe_text(pipe: Any) -> str:
    match pipe:
        case ("where", tree):
            return f"where {_filter_text(tree)}"
        case ("sort", keys):
            return "sort " + ", ".join(("-" if down else "") + _name(name) for name, down in keys)
        case ("limit" | "patterns", count):
            return f"{pipe[0]} {count}"
        case ("fields" | "dedup", names):
            return f"{pipe[0]} {', '.join(map(_name, names))}"
        case ("top", count, names):
            return f"top {count} {', '.join(map(_name, names))}"
        case ("extract", pattern, _, source):
            return f"extract {pattern} from {_name(source)}"
        case ("stats", functions, keys):
            results = [f"{name}({_name(of) if of else ''}) as `{called}`" for name, of, called in functions]
            by = [f"bucket({key})" if isinstance(key, int) else _name(key) for key in keys]
            by = [key.replace(")", "s)") if key.startswith("bucket(") else key for key in by]
            return f"stats {', '.join(results)}" + (f" by {', '.join(by)}" if by else "")
    raise AssertionError(pipe)


# --- Filters ------------------------------------------------------------------------------------------------


def holds(row: Row, tree: Any) -> bool:
    match tree:
        case ("everything",):
            return True
        case ("and", operands):
            return all(holds(row, each) for each in operands)
        case ("or", operands):
            return any(holds(row, each) for each in operands)
        case ("not", operand):
            return not holds(row, operand)
        case ("words", text):
            return _says(_message(row), text)
        case ("wordlike", parts):
            return _has_word_like(_message(row), parts)
        case ("regex", None, pattern, ignore_case):
            return _matches(_message(row), pattern, ignore_case)
        case (kind, name, *rest):
            return any(_meets(name, value, kind, rest) for value in _places(row, name))
    raise AssertionError(tree)


def _message(row: Row) -> str:
    assert row.line
    return row.line.message


def _says(message: str, text: str) -> bool:
    words = set(_WORD.findall(message.lower()))
    return text.lower() in message.lower() and all(word in words for word in _WORD.findall(text.lower()))


def _has_word_like(message: str, parts: Sequence[str]) -> bool:
    pattern = r"[0-9a-z\u0080-\U0010ffff]*".join(re.escape(part.lower()) for part in parts)
    before = r"(?<![0-9a-z\u0080-\U0010ffff])" if _WORD.fullmatch(parts[0][:1]) else ""
    behind = r"(?![0-9a-z\u0080-\U0010ffff])" if _WORD.fullmatch(parts[-1][-1:]) else ""
    return re.search(before + pattern + behind, message.lower()) is not None


def _matches(text: str, pattern: str, ignore_case: bool) -> bool:
    flags = re.DOTALL | re.ASCII | (re.IGNORECASE if ignore_case else 0)
    return re.search(pattern.replace("$", r"\Z"), text, flags) is not None


def _places(row: Row, name: str) -> list[Any]:
    """The values that a name may mean; empty text of a column counts as a value."""
    if name in row.outputs:
        return [row.outputs[name]]
    if not name.startswith("@"):
        return [getattr(row.line, name)]
    nested: Any = row.members
    for part in name[1:].split("."):
        nested = nested.get(part, ABSENT) if isinstance(nested, dict) else ABSENT
    places = [row.members.get(name[1:], ABSENT), *([nested] if "." in name else [])]
    return [value for value in places if value is not ABSENT]


def _meets(name: str, value: Any, kind: str, rest: list[Any]) -> bool:
    is_path = name.startswith("@")
    match kind, rest:
        case "exists", []:
            return is_path or (value is not None and (value != "" or name not in COLUMNS))
        case "equals", [values]:
            return any(_equals(name, value, *each) for each in values)
        case "range", [sign, bound]:
            return _compares(name, value, sign, *bound)
        case "between", [low, high]:
            return _compares(name, value, ">=", *low) and _compares(name, value, "<=", *high)
        case "like", [parts]:
            pattern = ".*".join(map(re.escape, parts)) + r"\Z"
            return any(re.match(pattern, each, re.DOTALL) for each in _texts(value))
        case "regex", [pattern, ignore_case]:
            return any(_matches(each, pattern, ignore_case) for each in _texts(value))
    raise AssertionError(kind)


def _texts(value: Any) -> list[str]:
    """The text forms that `*` and expressions look at."""
    if isinstance(value, list):
        return [each for each in value if isinstance(each, str)]
    return [] if value is None or isinstance(value, dict) else [form(value)]


def form(value: Any) -> str:
    """The text form of a value."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case _:
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _equals(name: str, value: Any, text: str, quoted: bool) -> bool:
    if name in TIMES:
        return bool(value == text)
    if not name.startswith("@"):
        if isinstance(value, (int, float)):
            return value == number(text)
        if name in COLUMNS or quoted or value is None or number(text) is None:
            return bool(value == text)
        return bool(value == text or number(value) == number(text))
    if isinstance(value, str):
        return value == text
    if quoted:
        return False
    if value is None or isinstance(value, bool):
        return form(value) == text
    return isinstance(value, (int, float)) and value == number(text)


def _compares(name: str, value: Any, sign: str, text: str, quoted: bool) -> bool:
    bound: Any = None if quoted or name in COLUMNS else number(text)
    if isinstance(value, bool) or value is None:
        return False
    if not name.startswith("@") and name not in COLUMNS and isinstance(value, str) and bound is not None:
        value = number(value)
    if bound is None:
        if not isinstance(value, str):
            return False
        value, bound = value.encode(), text.encode()
    elif not isinstance(value, (int, float)):
        return False
    return bool({"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[sign])


# --- Values of fields ---------------------------------------------------------------------------------------


def shown(row: Row, name: str) -> Any:
    """The value as a result has it."""
    places = [value for value in _places(row, name) if value is not None]
    if not places:
        return None
    return form(places[0]) if name.startswith("@") else places[0]


def _number_of(row: Row, name: str) -> float | None:
    for value in _places(row, name):
        if isinstance(value, str) and name in row.outputs:
            return number(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
    return None


def _order(row: Row, name: str, down: bool) -> tuple[Any, ...]:
    """A key for an ascending sort: numbers, then text, then what is missing."""
    value = shown(row, name)
    as_number = None if name in COLUMNS and name not in row.outputs else _number_of(row, name)
    sign = -1 if down else 1
    text = value if isinstance(value, (int, float)) else str(value or "").encode()
    return (
        (as_number is None, sign * (as_number or 0)),
        (value is None, _Reversed(text) if down and isinstance(text, bytes) else text),
    )


class _Reversed:
    """Bytes that sort the other way round."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    def __lt__(self, other: Any) -> bool:
        return bool(self.text > other.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and self.text == other.text

    __hash__ = None  # type: ignore[assignment]


# --- Pipes --------------------------------------------------------------------------------------------------


_members = cache(json.loads)
"""Most queries read all lines, so each text is parsed once."""


def answer(lines: Sequence[Line], tenant: str, tree: Any, pipes: Sequence[Any]) -> list[list[Any]]:
    """The rows of the result."""
    own = (Row(line, members=_members(line.metadata)) for line in lines if line.tenant_id == tenant)
    rows = _in_default_order([row for row in own if holds(row, tree)])
    names: list[str] = []
    columns = ["timestamp", "level", "service", "message"]
    for pipe in pipes:
        rows, changed = _piped(rows, pipe)
        columns, names = _columns(pipe, columns, names, changed)
    return [[shown(row, name) for name in columns] for row in rows]


def _columns(
    pipe: Any, columns: list[str], names: list[str], added: list[str]
) -> tuple[list[str], list[str]]:
    match pipe[0]:
        case "fields":
            return list(pipe[1]), [*names, "fields"]
        case "stats" | "top" | "patterns":
            return added, []
        case "extract" if "fields" not in names:
            return [*columns, *added], names
    return columns, names


def _piped(rows: list[Row], pipe: Any) -> tuple[list[Row], list[str]]:
    match pipe:
        case ("where", tree):
            return [row for row in rows if holds(row, tree)], []
        case ("sort", keys):
            rows = _in_default_order(rows)
            for name, down in reversed(keys):
                rows = sorted(rows, key=lambda row: _order(row, name, down))
            return rows, []
        case ("limit", count):
            return rows[:count], []
        case ("dedup", names):
            first: dict[Any, Row] = {}
            for row in rows:
                first.setdefault(tuple(shown(row, name) for name in names), row)
            return list(first.values()), []
        case ("extract", _, pattern, source):
            expression = re.compile(pattern, re.DOTALL | re.ASCII)
            for row in rows:
                match = expression.search(shown(row, source) or "")
                for name in expression.groupindex:
                    row.outputs[name] = (match[name] or "") if match else None
            return rows, list(expression.groupindex)
        case ("stats", functions, keys):
            return _stats(rows, functions, keys)
        case ("patterns", count):
            return _patterns(rows)[:count], ["pattern", "count"]
        case ("top", count, names):
            counted, columns = _stats(rows, [("count", None, "count")], names)
            counted.sort(key=lambda row: -row.outputs["count"])
            return counted[:count], columns
    return rows, []


def _in_default_order(rows: list[Row]) -> list[Row]:
    """Newest first; rows of a table by their columns."""
    if rows and rows[0].line is None:
        for name in reversed(rows[0].outputs):
            rows = sorted(rows, key=lambda row: _order(row, name, down=False))
        return rows
    return sorted(rows, key=lambda row: row.line.timestamp if row.line else "", reverse=True)


def _stats(rows: list[Row], functions: Any, keys: Sequence[Any]) -> tuple[list[Row], list[str]]:
    called = ["bucket" if isinstance(key, int) else key.removeprefix("@") for key in keys]
    groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): []}
    for row in rows:
        of_row = (_bucket(row, key) if isinstance(key, int) else shown(row, key) for key in keys)
        groups.setdefault(tuple(of_row), []).append(row)
    found = []
    for values, members in groups.items():
        results = {name: _result(members, function, of) for function, of, name in functions}
        found.append(Row(None, {**dict(zip(called, values, strict=True)), **results}))
    for name in reversed(called):
        found.sort(key=lambda row: _order(row, name, down=False))
    return found, [*called, *(name for _, _, name in functions)]


def _bucket(row: Row, seconds: int) -> str:
    assert row.line
    minute, second = int(row.line.timestamp[14:16]), int(row.line.timestamp[17:19])
    start = (60 * minute + second) // seconds * seconds
    return f"{row.line.timestamp[:14]}{start // 60:02d}:{start % 60:02d}.000000000Z"


def _result(rows: list[Row], function: str, of: str | None) -> Any:
    if of is None:
        return len(rows)
    if function == "count":
        return sum(any(_meets(of, value, "exists", []) for value in _places(row, of)) for row in rows)
    if function == "uniq":
        values = {shown(row, of) for row in rows} - {None}
        return len(values - {""} if of in COLUMNS else values)
    numbers = sorted(value for row in rows if (value := _value(row, of)) is not None)
    if not numbers:
        return None
    functions: dict[str, Callable[[list[Any]], Any]] = {
        "sum": sum, "avg": lambda all_of: sum(all_of) / len(all_of), "min": min, "max": max,
    }  # fmt: skip
    return (
        functions[function](numbers)
        if function in functions
        else numbers[int(_share(function) * len(numbers))]
    )


def _share(function: str) -> float:
    return int(function[1:]) / 100


def _value(row: Row, of: str) -> Any:
    if of in COLUMNS and of not in row.outputs:
        return getattr(row.line, of) or None
    return _number_of(row, of)


# --- Patterns -----------------------------------------------------------------------------------------------

_VARIES = re.compile(r'"[^"]*"|(?:/[^\s/]+){2,}|\d+(?:\.\d+)*')
_ANY = "\x7f"


def _patterns(rows: list[Row]) -> list[Row]:
    """Templates in the order of their counts, each added to the most similar pattern, if one is similar."""
    counts = Counter(_VARIES.sub(_ANY, _message(row)) for row in rows)
    patterns: list[tuple[list[str], list[str], list[int]]] = []
    for text, count in sorted(counts.items(), key=lambda each: (-each[1], each[0].encode())):
        words = text.split(" ")
        near = [each for each in patterns if _near(words, *each[:2]) and _alike(words, each[0]) >= 0.7]
        if near:
            best = max(near, key=lambda each: _alike(words, each[0]))
            best[0][:] = [one if one == two else _ANY for one, two in zip(best[0], words, strict=True)]
            best[2][0] += count
        else:
            patterns.append((list(words), words, [count]))
    made = sorted((-count[0], " ".join(words)) for words, _, count in patterns)
    return [Row(None, {"pattern": text.replace(_ANY, "<*>"), "count": -count}) for count, text in made]


def _near(words: list[str], pattern: list[str], first: list[str]) -> bool:
    """Of as many words, with the first or the last word of the template that began the pattern."""
    return len(words) == len(pattern) and (words[0] == first[0] or words[-1] == first[-1])


def _alike(words: list[str], pattern: list[str]) -> float:
    literals = max(sum(word != _ANY for word in some) for some in (words, pattern))
    equal = sum(one == two != _ANY for one, two in zip(words, pattern, strict=True))
    return equal / max(literals, 1)
