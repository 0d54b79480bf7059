-- 2026-11-30. The columns of 0003 in the table that shows which rows ClickHouse rejects.
ALTER TABLE events_trial
    ADD COLUMN IF NOT EXISTS object_id LowCardinality(String),
    ADD COLUMN IF NOT EXISTS position UInt32
