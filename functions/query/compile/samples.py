"""Compile a sample: the newest events, as many as fit into a limit of rows and of bytes of metadata. Pure.

The size of the sample comes first, because metadata may have a megabyte per event: the engine must not sort
thousands of such rows. Both SELECTs read metadata only from the time of the oldest row of the sample, which
is looked for where the condition `narrowed` holds, if one is known (functions.query.compile.narrowed_range).
"""
# ruff: noqa: S608 - the text has only our names; a caller's values are bound (functions.query.bindings)

from collections.abc import Sequence

SAMPLED_COLUMNS = ("timestamp", "level", "service", "project_id", "trace_id", "span_id", "metadata")

_NEWEST = "timestamp DESC, length(metadata)"


def sample_size(
    conditions: Sequence[str], max_rows: int, max_bytes: int, count: str, narrowed: str | None
) -> str:
    """The SELECT of the number of all rows (c0), and of the newest that fit into both limits (c1).

    `max_bytes`: of metadata together; one row always fits. `count`: the SELECT of the number of all rows.
    """
    matching = " AND ".join(conditions)
    oldest = _oldest(matching, max_rows, narrowed)
    sizes = (
        f"SELECT timestamp, length(metadata) AS size FROM events WHERE {matching} "
        f"AND timestamp >= {oldest} ORDER BY timestamp DESC, size LIMIT {max_rows}"
    )
    so_far = "sum(size) OVER (ORDER BY timestamp DESC, size ROWS UNBOUNDED PRECEDING)"
    fitting = f"greatest(countIf(bytes <= {max_bytes}), least(count(), 1))"
    return f"SELECT ({count}) AS c0, {fitting} AS c1 FROM (SELECT {so_far} AS bytes FROM ({sizes}))"


def newest_rows(conditions: Sequence[str], rows: int, narrowed: str | None) -> str:
    """The SELECT of SAMPLED_COLUMNS of the `rows` newest rows, the newest first."""
    matching = " AND ".join(conditions)
    return (
        f"SELECT {', '.join(SAMPLED_COLUMNS)} FROM events WHERE {matching} "
        f"AND timestamp >= {_oldest(matching, rows, narrowed)} ORDER BY {_NEWEST} LIMIT {rows}"
    )


def _oldest(matching: str, rows: int, narrowed: str | None) -> str:
    """SQL: the time of the oldest of the newest `rows` rows."""
    within = f"{matching} AND {narrowed}" if narrowed else matching
    return (
        f"(SELECT min(timestamp) FROM (SELECT timestamp FROM events WHERE {within} "
        f"ORDER BY timestamp DESC LIMIT {rows}))"
    )
