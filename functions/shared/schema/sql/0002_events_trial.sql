-- 2026-11-23. A table that takes rows as `events` does and keeps none: sync asks it which rows ClickHouse refuses.
CREATE TABLE IF NOT EXISTS events_trial
(
    tenant_id LowCardinality(String),
    project_id LowCardinality(String),
    timestamp DateTime64(9, 'UTC'),
    received_at DateTime64(6, 'UTC'),
    level LowCardinality(String),
    service LowCardinality(String),
    message String,
    trace_id String,
    span_id String,
    metadata String,
    batch_id LowCardinality(String),
    expires_on Date
)
ENGINE = Null
