"""Parse a filter: conditions with AND, OR, NOT and parentheses, by recursive descent.

filter  = all { "OR" all }            all = unary { ["AND"] unary }
unary   = ("-" | "NOT") unary | "(" filter ")" | field ":" value | words | "/" regex "/"
value   = "(" values ")" | op bound | "[" bound "TO" bound "]" | "/" regex "/" | text with stars
"""

from collections.abc import Callable

from functions.query.language import literals, names
from functions.query.language.scanner import FREE_CHUNK, KEYWORDS, VALUE_CHUNK, Scanner
from functions.query.language.scope import Scope
from functions.query.language.syntax_tree import (
    EVERYTHING,
    MESSAGE,
    AllOf,
    AnyOf,
    Bound,
    ContainsWordLike,
    ContainsWords,
    Equals,
    Exists,
    FieldRef,
    Filter,
    InRange,
    Like,
    MatchesRegex,
    Negation,
)
from functions.query.language.walk import conditions
from functions.shared.events.levels import CANONICAL, canonical

MAX_DEPTH = 32
MAX_CONDITIONS = 64
MAX_VALUES = 1000

LEVEL = FieldRef("column", "level")
CONDITION = ("a word", '"a phrase"', "field:value", "(")
VALUE = ("a value", '"text"', "*", "a comparison such as >5", "[a TO b]", "/regex/", "(")
_OPERATORS = (">=", "<=", ">", "<")


class FilterParser:
    """Parses filters of one query; the limits hold for all of them together."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._scope = Scope()
        self._depth = 0
        self._conditions = 0
        self._values = 0

    def parse(self, scope: Scope) -> Filter:
        """Read a filter up to a `|` or the end; there must be at least one condition."""
        self._scope = scope
        found = self._any(self._unary)
        if not self._scanner.ended and self._scanner.peek() != "|":
            self._scanner.fail("|", "the end", reason="this ')' closes nothing")
        return found

    def _any(self, operand: Callable[[], Filter]) -> Filter:
        found = [self._all(operand)]
        while self._scanner.keyword("OR"):
            found.append(self._all(operand))
        return _joined(AnyOf, found)

    def _all(self, operand: Callable[[], Filter]) -> Filter:
        scanner, found = self._scanner, [operand()]
        while True:
            scanner.blanks()
            explicit = scanner.keyword("AND")
            following = scanner.peek()
            if not explicit and (following in ("", "|", ")") or self._is_or()):
                return _joined(AllOf, found)
            found.append(operand())

    def _is_or(self) -> bool:
        began = self._scanner.at
        found = self._scanner.keyword("OR")
        self._scanner.at = began
        return found

    def _unary(self) -> Filter:
        return self._nested(self._negated_or_primary)

    def _nested(self, parse: Callable[[], Filter]) -> Filter:
        if self._depth >= MAX_DEPTH:
            self._scanner.fail(f"at most {MAX_DEPTH} levels of parentheses and negations")
        self._depth += 1
        found = parse()
        self._depth -= 1
        return found

    def _negated_or_primary(self) -> Filter:
        scanner = self._scanner
        scanner.blanks()
        if scanner.keyword("NOT"):
            return Negation(self._unary())
        if scanner.take("-"):
            if scanner.ended or scanner.peek().isspace():
                scanner.fail("a condition directly after '-'", "quotes around a '-' that is text")
            return Negation(self._unary())
        if scanner.peek() == "(":
            return self._parentheses(self._unary)
        return self._term()

    def _parentheses(self, operand: Callable[[], Filter]) -> Filter:
        scanner, began = self._scanner, self._scanner.at
        scanner.take("(")
        scanner.blanks()
        found = self._any(operand)
        if not scanner.take(")"):
            scanner.fail(")", reason=f"the '(' in column {began + 1} is not closed")
        scanner.boundary()
        return found

    def _term(self) -> Filter:
        """A condition on a field, or words in the message."""
        scanner, began = self._scanner, self._scanner.at
        self._count_conditions(1)
        if (regex := scanner.expression()) is not None:
            self._check_message(began)
            return MatchesRegex(MESSAGE, regex[0], regex[1])
        if scanner.peek() in ("@", "`"):
            name, forced = scanner.name()
            return self._condition(name, forced, began)
        parts, quoted = scanner.parts(FREE_CHUNK)
        if scanner.peek() == ":" and not quoted and len(parts) == 1 and parts[0]:
            if not names.BARE.fullmatch(parts[0]):
                scanner.fail("a field before ':'", "quotes around a text with ':'", at=began)
            return self._condition(parts[0], False, began)
        return self._words(parts, quoted, began)

    def _words(self, parts: list[str], quoted: bool, began: int) -> Filter:
        scanner = self._scanner
        if len(parts) == 1 and (not parts[0] or (not quoted and parts[0] in KEYWORDS)):
            scanner.fail(*CONDITION, at=began)
        scanner.boundary()
        if parts == ["", ""]:
            return EVERYTHING
        self._check_message(began)
        return ContainsWords(parts[0]) if len(parts) == 1 else ContainsWordLike(tuple(parts))

    def _check_message(self, began: int) -> None:
        if not self._scope.events:
            self._scanner.fail("column:value", at=began, reason="after stats and top there are no messages")

    def _count_conditions(self, count: int) -> None:
        self._conditions += count
        if self._conditions > MAX_CONDITIONS:
            self._scanner.fail(f"at most {MAX_CONDITIONS} conditions")

    def _condition(self, name: str, forced: bool, began: int) -> Filter:
        scanner = self._scanner
        if not scanner.take(":"):
            scanner.fail("':' and a value")
        field = self._scope.resolve(scanner, name, forced, began)
        if scanner.peek() != "(":
            return self._value(field)
        found = _merged(self._nested(lambda: self._parentheses(lambda: self._unary_value(field))))
        self._count_conditions(sum(1 for _ in conditions(found)) - 1)
        return found

    def _unary_value(self, field: FieldRef) -> Filter:
        """A value in parentheses; NOT negates it, because `-` belongs to a number."""
        return self._nested(lambda: self._negated_value(field))

    def _negated_value(self, field: FieldRef) -> Filter:
        self._scanner.blanks()
        if self._scanner.keyword("NOT"):
            return Negation(self._unary_value(field))
        if self._scanner.peek() == "(":
            return self._parentheses(lambda: self._unary_value(field))
        return self._value(field)

    def _value(self, field: FieldRef) -> Filter:
        self._values += 1
        if self._values > MAX_VALUES:
            self._scanner.fail(f"at most {MAX_VALUES:,} values")
        return self._range(field) or self._regex(field) or self._plain(field)

    def _range(self, field: FieldRef) -> Filter | None:
        scanner, began = self._scanner, self._scanner.at
        for operator in _OPERATORS:
            if scanner.take(operator):
                bound = self._one_bound(field, inclusive=operator.endswith("="))
                scanner.boundary()
                low, high = (bound, None) if operator[0] == ">" else (None, bound)
                return self._in_range(field, low, high, began)
        if not scanner.take("["):
            return None
        scanner.blanks()
        low = self._open_bound(field)
        scanner.blanks()
        if not scanner.keyword("TO"):
            scanner.fail("TO")
        high = self._open_bound(field)
        scanner.blanks()
        if not scanner.take("]"):
            scanner.fail("]")
        scanner.boundary()
        return self._in_range(field, low, high, began)

    def _one_bound(self, field: FieldRef, *, inclusive: bool) -> Bound:
        found = self._open_bound(field)
        if found is None:
            self._scanner.fail("a value", at=self._scanner.at - 1)
        return Bound(found.value, inclusive)

    def _open_bound(self, field: FieldRef) -> Bound | None:
        began = self._scanner.at
        found = self._scanner.bound()
        if found is None:
            return None
        if field == LEVEL:
            return Bound(self._level(found[0], began), inclusive=True)
        kind = self._scope.type_of(field)
        return Bound(literals.ordered(self._scanner, *found, kind, began), inclusive=True)

    def _in_range(self, field: FieldRef, low: Bound | None, high: Bound | None, began: int) -> Filter:
        if low is None and high is None:
            self._scanner.fail("a value at one end of the range", at=began)
        if low and high and isinstance(low.value, str) is not isinstance(high.value, str):
            self._scanner.fail("two numbers, or two texts", at=began)
        return self._levels(low, high, began) if field == LEVEL else InRange(field, low, high)

    def _levels(self, low: Bound | None, high: Bound | None, began: int) -> Filter:
        """The levels of a range by severity."""
        first = CANONICAL.index(str(low.value)) + (not low.inclusive) if low else 0
        last = CANONICAL.index(str(high.value)) + high.inclusive if high else len(CANONICAL)
        if first >= last:
            self._scanner.fail("a range that has a level", at=began)
        return Equals(LEVEL, CANONICAL[first:last])

    def _level(self, text: str, at: int) -> str:
        level = canonical(text)
        if level is None:
            self._scanner.fail(*CANONICAL, at=at)
        return level

    def _regex(self, field: FieldRef) -> Filter | None:
        began = self._scanner.at
        regex = self._scanner.expression()
        if regex is None:
            return None
        self._check_text(field, began)
        return MatchesRegex(field, regex[0], regex[1])

    def _plain(self, field: FieldRef) -> Filter:
        """A value, with or without stars."""
        scanner, began = self._scanner, self._scanner.at
        parts, quoted = scanner.parts(VALUE_CHUNK)
        if len(parts) == 1 and not quoted and (not parts[0] or parts[0] in KEYWORDS):
            scanner.fail(*VALUE, at=began)
        scanner.boundary()
        if len(parts) == 1:
            if field == LEVEL:
                return Equals(field, (self._level(parts[0], began),))
            kind = self._scope.type_of(field)
            return Equals(field, (literals.value(scanner, parts[0], quoted, kind, began),))
        if parts == ["", ""]:
            return Exists(field)
        self._check_text(field, began)
        return Like(field, tuple(parts))

    def _check_text(self, field: FieldRef, began: int) -> None:
        kind = self._scope.type_of(field)
        if kind in ("time", "number"):
            self._scanner.fail(
                "a value", "a comparison", at=began, reason=f"'{field.name}' has the type {kind}"
            )


def _joined(kind: type[AllOf] | type[AnyOf], operands: list[Filter]) -> Filter:
    """The operands as one filter, without a level of its own for one or for the same kind."""
    flat: list[Filter] = []
    for operand in operands:
        flat += operand.operands if isinstance(operand, kind) else [operand]
    if len(flat) == 1:
        return flat[0]
    return kind(tuple(flat))


def _merged(found: Filter) -> Filter:
    """Alternative single values of a field as one condition with all values."""
    if not isinstance(found, AnyOf):
        return found
    equals = [each for each in found.operands if isinstance(each, Equals) and len(each.values) == 1]
    if len(equals) < len(found.operands):
        return found
    return Equals(equals[0].field, tuple(each.values[0] for each in equals))
