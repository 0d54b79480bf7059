"""Walk over the conditions of a filter."""

from collections.abc import Iterator

from functions.query.language.syntax_tree import AllOf, AnyOf, Filter, Negation


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
