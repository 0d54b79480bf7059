"""Names of fields: columns by name, everything else a path in the metadata.

`@name` is a path even if a column has that name, and so is `metadata.name`. Backticks quote a name of any
characters; a doubled backtick is one.
"""

import re

from functions.query.language.syntax_tree import FieldRef

ALIASES = {"msg": "message", "project": "project_id", "time": "timestamp"}
TEXT_COLUMNS = frozenset({"project_id", "level", "service", "message", "trace_id", "span_id"})
TIME_COLUMNS = frozenset({"timestamp", "received_at"})
METADATA = "metadata."

COLUMNS = TEXT_COLUMNS | TIME_COLUMNS

BARE = re.compile(r"[\w$/#][\w.$/#@-]*")
"""A name that needs no backticks."""


MAX_PATH_PARTS = 16


def path_parts(path: str) -> int:
    """The number of parts between dots."""
    return path.count(".") + 1


def resolve(name: str) -> FieldRef:
    """The field that a name without `@` means, outside of the outputs of pipes."""
    column = ALIASES.get(name, name)
    if column in COLUMNS:
        return FieldRef("column", column)
    return FieldRef("path", name.removeprefix(METADATA))


def written(field: FieldRef) -> str:
    """The name of `field` as a query has it."""
    if field.kind == "path":
        bare = quoted(field.name)
        return bare if resolve(field.name) == field else f"@{bare}"
    return quoted(field.name)


def quoted(name: str) -> str:
    """`name` in backticks, if it needs them."""
    if BARE.fullmatch(name):
        return name
    return "`" + name.replace("`", "``") + "`"
