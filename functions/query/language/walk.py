"""Walk over the conditions of a filter, and the fields of a pipe."""

from collections.abc import Iterator

from functions.query.language.syntax_tree import (
    AllOf,
    AnyOf,
    DedupPipe,
    ExtractPipe,
    FieldRef,
    FieldsPipe,
    Filter,
    GroupField,
    Negation,
    Pipe,
    SortPipe,
    StatsPipe,
    TopPipe,
)


def conditions(found: Filter) -> Iterator[Filter]:
    """The conditions of a filter without AND, OR and NOT, from left to right."""
    match found:
        case AllOf() | AnyOf():
            for each in found.operands:
                yield from conditions(each)
        case Negation():
            yield from conditions(found.operand)
        case _:
            yield found


def fields_of(pipe: Pipe) -> Iterator[FieldRef]:
    """The fields that a pipe names, without those in the filter of `where`."""
    match pipe:
        case StatsPipe():
            yield from (each.field for each in pipe.aggregates if each.field)
            yield from (key.field for key in pipe.by if isinstance(key, GroupField))
        case SortPipe():
            yield from (key.field for key in pipe.keys)
        case FieldsPipe() | DedupPipe() | TopPipe():
            yield from pipe.fields
        case ExtractPipe():
            yield pipe.source
        case _:
            return
