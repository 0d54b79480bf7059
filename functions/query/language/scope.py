"""Which fields a pipe can name, and their types: those of events until `stats` or `top`, then its outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.query.language import names
from functions.query.language.scanner import Scanner
from functions.query.language.syntax_tree import FieldRef, ValueType

MAX_NAMES = 20
"""Names in an error message."""

AnyType = ValueType | None
"""None: a value of metadata or of a text, whose type each event decides."""


@dataclass(slots=True)
class Scope:
    """`outputs`: the outputs of earlier pipes and their types. `events`: whether rows are still events."""

    outputs: Mapping[str, AnyType] = field(default_factory=dict)
    events: bool = True

    def field(self, scanner: Scanner) -> FieldRef:
        """Read a field that exists in this scope."""
        began = scanner.at
        name, forced = scanner.name()
        return self.resolve(scanner, name, forced, began)

    def resolve(self, scanner: Scanner, name: str, forced: bool, began: int) -> FieldRef:
        """The field called `name` at `began`."""
        if not forced and name in self.outputs:
            return FieldRef("output", name)
        if not self.events:
            known = sorted(self.outputs)[:MAX_NAMES]
            scanner.fail(*known, at=began, reason="after stats and top only their columns exist")
        field = FieldRef("path", name) if forced else names.resolve(name)
        if names.path_parts(field.name) > names.MAX_PATH_PARTS:
            scanner.fail(f"a path of at most {names.MAX_PATH_PARTS} parts between dots", at=began)
        return field

    def type_of(self, ref: FieldRef) -> AnyType:
        """The type of a field's values."""
        if ref.kind == "output":
            return self.outputs[ref.name]
        if ref.kind == "path":
            return None
        return "time" if ref.name in names.TIME_COLUMNS else "text"
