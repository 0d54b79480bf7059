-- 2026-11-30. Indexes that find rare levels, projects and long durations: docs/adr/0047-indexes-for-rare-values.md.
--
-- * Levels and projects are few, so a set of them takes some bytes for each granule and answers exactly. Without it
--   a search for `level:fatal` reads the column of every granule in its time range.
-- * `duration_range` skips granules without a duration above or below the bound.
--
-- Only the description of the table changes; parts from before have no such index until they are merged or expire.
ALTER TABLE events
    ADD INDEX IF NOT EXISTS level_values level TYPE set(16) GRANULARITY 1,
    ADD INDEX IF NOT EXISTS project_values project_id TYPE set(64) GRANULARITY 1,
    ADD INDEX IF NOT EXISTS duration_range duration_ms TYPE minmax GRANULARITY 1
