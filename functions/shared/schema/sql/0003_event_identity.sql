-- 2026-11-30. Identity and order of events, and indexes that prune by time and by ids: docs/adr/0039.
--
-- * `object_id` and `position` order rows of equal time as they were sent and make the id of an event. Rows
--   from before have '' and 0. They are no part of the table's own order: that costs more than it gains.
-- * `timestamp_range` skips what is outside of a search's time; `received_range` finds an event by its id, which
--   holds the time of receipt.
-- * `metadata_words` finds identifiers. JSON may write any character as \u and four digits, so metadata that
--   does has one more word, for which every search of a value asks, too (functions/query/metadata.py).
--
-- Only the table's description changes: the statement takes moments, inserts go on, and parts from before
-- answer without the indexes until they expire or are merged.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS object_id LowCardinality(String) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS position UInt32 CODEC(Delta, ZSTD(1)),
    ADD INDEX IF NOT EXISTS timestamp_range timestamp TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS received_range received_at TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS metadata_words
        if(position(metadata, '\\u') = 0, metadata, concat(metadata, ' unicodeescape'))
        TYPE tokenbf_v1(49152, 3, 0) GRANULARITY 1
