"""Names of fields in a request, written as in a query: `service`, `user`, `@level`, `metadata.a.b`."""

from functions.query.language.errors import QuerySyntaxError
from functions.query.language.names import TIME_COLUMNS
from functions.query.language.scanner import Scanner
from functions.query.language.scope import Scope
from functions.query.language.syntax_tree import FieldRef
from functions.shared.forms import invalid


def field_named(text: str, place: str) -> FieldRef:
    """The field called `text`, which is at `place` in the body; not one of the times.

    Raises
    ------
    HttpError: 400 `invalid_<field>`.
    """
    scanner = Scanner(text)
    try:
        found = Scope().field(scanner)
        if not scanner.ended:
            scanner.fail("the end of the name")
    except QuerySyntaxError as fault:
        wrong = f"must be the name of a field as in a query, in backticks if it has other characters: {fault}"
        raise invalid(place, wrong.rstrip(".")) from None
    if found.kind == "column" and found.name in TIME_COLUMNS:
        raise invalid(place, f"must not be {found.name}: a time has no groups, its buckets are a histogram")
    return found
