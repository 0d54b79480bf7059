-- 2026-11-30. Identity and order of events, and indexes that prune by time and by ids: docs/adr/0039.
--
-- * `object_id` and `position` order rows of equal time as they were sent and make the id of an event. Rows
--   from before have '' and 0. The order of the table stays as it is: no search gains by more columns in it.
-- * `timestamp_range` skips what is outside of a search's time; `received_range` finds an event by its id, which
--   holds the time of receipt.
-- * `metadata_words` finds identifiers. Words are joined over `_.:-`: so a UUID is one word instead of five, and
--   a third of the bytes is enough. JSON may write any character as \u and four digits: metadata that does has
--   one more word, for which every search of a value asks, too (functions/query/metadata.py).
--
-- Only the description of the table changes: the statement takes moments and inserts continue. Parts from
-- before have no such indexes until they are merged or expire; all of them are read until then.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS object_id LowCardinality(String) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS position UInt32 CODEC(T64, ZSTD(1)),
    ADD INDEX IF NOT EXISTS timestamp_range timestamp TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS received_range received_at TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS metadata_words
        translate(if(position(metadata, '\\u') = 0, metadata, concat(metadata, ' unicodeescape')), '_.:-', '')
        TYPE tokenbf_v1(16384, 3, 0) GRANULARITY 1
