-- 2026-12-01. The column that keeps bulk apart, in a table from before: docs/adr/0063-a-partition-for-bulk.md.
--
-- New tables have it since 0001, in the key of their partitions. Here it only marks the rows: a table keeps the key
-- that it was created with. Only the description of the table changes.
ALTER TABLE events ADD COLUMN IF NOT EXISTS bulk UInt8 CODEC(ZSTD(1)) AFTER expires_on
