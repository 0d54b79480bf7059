"""SQL of the values of fields: as text, as a number, to group and to sort by."""

from collections.abc import Mapping

from functions.query.bindings import Bindings
from functions.query.compile import metadata
from functions.query.compile.outputs import Output, number_of
from functions.query.language.names import TIME_COLUMNS
from functions.query.language.scope import AnyType
from functions.query.language.syntax_tree import FieldRef, SortKey


class Values:
    """The fields that a row has: the columns and metadata of events, if it is one, and `outputs`."""

    def __init__(self, bindings: Bindings, outputs: Mapping[str, Output]) -> None:
        self._bindings = bindings
        self.outputs = outputs

    def kind(self, field: FieldRef) -> AnyType:
        """The type of a field, as functions.query.language.scope has it."""
        if field.kind == "output":
            return self.outputs[field.name].kind
        if field.kind == "path":
            return None
        return "time" if field.name in TIME_COLUMNS else "text"

    def shown(self, field: FieldRef) -> str:
        """The value as it is shown and grouped: text, or a number or time of its own."""
        match field.kind:
            case "output":
                return self.outputs[field.name].sql
            case "path":
                return metadata.text_of(field.name, self._bindings)
            case "column":
                return field.name

    def number(self, field: FieldRef) -> str:
        """The value as a number, NULL when it is none."""
        if field.kind == "path":
            return metadata.number_of(field.name, self._bindings)
        return number_of(self.outputs[field.name])

    def present(self, field: FieldRef) -> str:
        """1 for rows with a value: a key that may be null, a column that is not empty."""
        match field.kind:
            case "path":
                return metadata.exists(field.name, self._bindings)
            case "output":
                output = self.outputs[field.name]
                return f"isNotNull({output.sql})" if output.kind != "text" else _not_empty(output.sql)
            case "column":
                return "1" if field.name in TIME_COLUMNS else f"({field.name} != '')"

    def distinct(self, field: FieldRef) -> str:
        """The value, NULL when it is missing or, of a column, empty."""
        shown = self.shown(field)
        return f"nullIf({shown}, '')" if self.kind(field) == "text" else shown

    def sort(self, key: SortKey) -> list[str]:
        """The ORDER BY expressions of `key`."""
        direction = f"{'DESC' if key.descending else 'ASC'} NULLS LAST"
        shown = f"{self.shown(key.field)} {direction}"
        if self.kind(key.field) is not None:
            return [shown]
        return [f"{self.number(key.field)} {direction}", shown]


def _not_empty(sql: str) -> str:
    return f"ifNull({sql} != '', 0)"
