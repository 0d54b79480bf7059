"""The table of the pipe `patterns`: templates that ClickHouse counted, merged into patterns. Pure."""

from dataclasses import replace

from functions.query.compile.pipes import TableColumn
from functions.query.language.pipe_parser import COUNT, PATTERN
from functions.query.results.table_rows import Cell, CompiledStats, TableRows
from functions.query.templates.changes import ranked
from functions.query.templates.filters import shown
from functions.query.templates.merge import TemplateCount, patterns_of

COLUMNS = (TableColumn(PATTERN, "text"), TableColumn(COUNT, "number"))


def merged_patterns(compiled: CompiledStats, found: TableRows) -> tuple[tuple[TableColumn, ...], TableRows]:
    """The columns and rows of the result of `compiled`, whose rows are `found`.

    It is truncated when there are more templates than rows: the counts are then those of the rows.
    """
    if not compiled.patterns:
        return compiled.columns, found
    templates = [TemplateCount(str(text), "", float(count or 0)) for text, count, _ in found.rows]
    patterns = ranked(patterns_of(templates), None)[: compiled.patterns]
    rows: list[list[Cell]] = [[shown(each.text), round(each.now)] for each in patterns]
    truncated = found.truncated or any(int(total or 0) > len(templates) for *_, total in found.rows)
    return COLUMNS, replace(found, rows=rows, truncated=truncated)
