"""The syntax tree of a query: a filter of events, then pipes.

Every front end (text, JSON conditions) builds this tree, and the compiler reads nothing else. A tree is
valid by construction of its front end: names are resolved and types are checked, so compiling never fails.

Filters compare as follows. Text compares byte by byte, numbers compare as numbers and only with numbers. A
column of text is never missing, it is empty; a metadata key may be missing, and then no condition on it
holds, while its negation does.
"""

from typing import Literal

from msgspec import Struct

from functions.query.tokens import Scalar

Kind = Literal["column", "path", "output"]
ValueType = Literal["text", "number", "time"]


class FieldRef(Struct, frozen=True):
    """A field: a column of events, a path in their metadata, or an output of an earlier pipe.

    A path `a.b` is the key "a.b", or b in the object a. Outputs are the fields of `extract`, and the columns
    of `stats` and `top`.
    """

    kind: Kind
    name: str


MESSAGE = FieldRef("column", "message")
TIMESTAMP = FieldRef("column", "timestamp")


class Loose(Struct, frozen=True):
    """A value as written without quotes that JSON reads as a number, a boolean or null.

    It equals that value, and the text of the same characters.
    """

    text: str


Value = Loose | Scalar
"""A Scalar equals values of its own JSON type only; for a time column it is nanoseconds since 1970."""

Ordered = str | int | float


class Everything(Struct, frozen=True):
    """Every event."""


class AllOf(Struct, frozen=True):
    """All of two or more operands hold; no operand is an AllOf."""

    operands: "tuple[Filter, ...]"


class AnyOf(Struct, frozen=True):
    """At least one of two or more operands holds; no operand is an AnyOf."""

    operands: "tuple[Filter, ...]"


class Negation(Struct, frozen=True):
    """The operand does not hold."""

    operand: "Filter"


class ContainsWords(Struct, frozen=True):
    """The message contains the text in any case, and each word of the text is a whole word there."""

    text: str


class ContainsWordLike(Struct, frozen=True):
    """The message contains the parts in this order, in any case, and nothing but letters and digits between.

    The first and the last part are at the edge of a word, unless they are empty.
    """

    parts: tuple[str, ...]


class Equals(Struct, frozen=True):
    """The field equals one of the values."""

    field: FieldRef
    values: tuple[Value, ...]


class Bound(Struct, frozen=True):
    """An end of a range."""

    value: Ordered
    inclusive: bool


class InRange(Struct, frozen=True):
    """The field is between the bounds, of which one may be absent; both have the same type."""

    field: FieldRef
    low: Bound | None
    high: Bound | None


class Exists(Struct, frozen=True):
    """The field exists, even as null; a text column exists when it is not empty, a time column always."""

    field: FieldRef


class Like(Struct, frozen=True):
    """The text form of the field consists of the parts with anything between: `a*b` has the parts a and b.

    An array matches when one of its texts does.
    """

    field: FieldRef
    parts: tuple[str, ...]


class MatchesRegex(Struct, frozen=True):
    """The text form of the field contains a match of the RE2 expression, in which `.` matches line breaks."""

    field: FieldRef
    pattern: str
    ignore_case: bool = False


class ContainsText(Struct, frozen=True):
    """JSON's `contains`: the field is text that contains the text, or an array with it as an element."""

    field: FieldRef
    text: str


Filter = (
    Everything
    | AllOf
    | AnyOf
    | Negation
    | ContainsWords
    | ContainsWordLike
    | Equals
    | InRange
    | Exists
    | Like
    | MatchesRegex
    | ContainsText
)

EVERYTHING = Everything()


class Aggregate(Struct, frozen=True):
    """One result of `stats`, called `name`.

    `function`: count, uniq, sum, avg, min, max, or p with a whole percentage. `field`: None for `count()`.
    """

    function: str
    field: FieldRef | None
    name: str

    @property
    def percentile(self) -> int | None:
        """The percentage of a p function."""
        return int(self.function[1:]) if self.function[1:].isdigit() else None


class GroupField(Struct, frozen=True):
    """Group by the text form of a field, or by a number or time of an earlier pipe."""

    field: FieldRef


class TimeBucket(Struct, frozen=True):
    """Group by the start of the interval of the timestamp; intervals begin at 1970-01-01."""

    seconds: int


BUCKET = "bucket"
"""The name of the column of a TimeBucket."""

GroupKey = GroupField | TimeBucket


class StatsPipe(Struct, frozen=True):
    """One row for each combination of the keys; one row in all without keys."""

    aggregates: tuple[Aggregate, ...]
    by: tuple[GroupKey, ...] = ()


class SortKey(Struct, frozen=True):
    """Numbers come before text, and missing values last, in either direction."""

    field: FieldRef
    descending: bool = False


class SortPipe(Struct, frozen=True):
    """Rows in the order of the keys."""

    keys: tuple[SortKey, ...]


class LimitPipe(Struct, frozen=True):
    """The first `count` rows."""

    count: int


class FieldsPipe(Struct, frozen=True):
    """The fields of the result, in this order."""

    fields: tuple[FieldRef, ...]


class WherePipe(Struct, frozen=True):
    """The rows for which the filter holds."""

    filter: Filter


class ExtractPipe(Struct, frozen=True):
    """Add a text field for each named group of the expression's first match in `source`.

    `pattern`: whether `expression` is a pattern, literal text with `<name>` for the fields, or RE2.
    """

    expression: str
    pattern: bool
    source: FieldRef = MESSAGE
    ignore_case: bool = False


class DedupPipe(Struct, frozen=True):
    """The first row of each combination of the fields."""

    fields: tuple[FieldRef, ...]


class TopPipe(Struct, frozen=True):
    """The `count` most frequent combinations of the fields, with their `count`, most frequent first."""

    count: int
    fields: tuple[FieldRef, ...]


class PatternsPipe(Struct, frozen=True):
    """The `count` most frequent patterns of the messages, with their `count`; always the last pipe."""

    count: int


Pipe = (
    StatsPipe
    | SortPipe
    | LimitPipe
    | FieldsPipe
    | WherePipe
    | ExtractPipe
    | DedupPipe
    | TopPipe
    | PatternsPipe
)


class Query(Struct, frozen=True):
    """A whole query."""

    filter: Filter = EVERYTHING
    pipes: tuple[Pipe, ...] = ()
