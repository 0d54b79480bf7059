-- 2026-11-23. The table every log ends in. Figures and what was tried: docs/adr/0004-events-table.md.
--
-- * Partitioned by the day the rows expire: a purge drops whole partitions, an insert touches one. Batches of
--   tenants with many rows have a partition of their own, so that a merge never joins them with the few rows of
--   others (docs/adr/0063). ClickHouse cannot change the key of a table: those from before 2026-12-01 keep theirs.
-- * The tenant leads the order and is no part of the partition key: hundreds of tenants stay one part.
-- * `metadata` is the JSON text as it was sent. A JSON column would rewrite numbers, merge types and refuse
--   duplicate keys with the whole batch; searches go by `metadata_tokens`, which rests in the index alone.
-- * `metadata_tokens` holds `?key` for each top-level key and `=key=value` for values of few forms: at most
--   32 bytes and three digits. Identifiers stay out, they would make the index larger than the data. The
--   search applies the same rule (functions/query/tokens.py) and a test holds the two together.
-- * The deduplication windows are what makes a batch's token count; they are 0 and one hour by default.
CREATE TABLE IF NOT EXISTS events
(
    tenant_id LowCardinality(String) CODEC(ZSTD(1)),
    project_id LowCardinality(String) CODEC(ZSTD(1)),
    timestamp DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    level LowCardinality(String) CODEC(ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    message String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    metadata String CODEC(ZSTD(1)),
    batch_id LowCardinality(String) CODEC(ZSTD(1)),
    expires_on Date CODEC(ZSTD(1)),
    bulk UInt8 CODEC(ZSTD(1)),

    duration_ms Nullable(Float64) MATERIALIZED
        toFloat64OrNull(JSONExtractRaw(metadata, 'duration_ms')) CODEC(ZSTD(1)),
    metadata_tokens Array(String) ALIAS arrayConcat(
        arrayMap(
            pair -> concat('?', pair.1),
            arrayFilter(pair -> length(pair.1) <= 128, JSONExtractKeysAndValuesRaw(metadata))
        ),
        arrayMap(
            pair -> concat('=', pair.1, '=', pair.2),
            arrayFilter(
                pair -> length(pair.1) <= 128 AND length(pair.2) <= 32 AND match(
                    pair.2,
                    '^(?:true|false|null|-?[0-9]{1,3}|"[ -!#-/:-\\[\\]-~]*(?:[0-9][ -!#-/:-\\[\\]-~]*){0,3}")$'
                ),
                JSONExtractKeysAndValuesRaw(metadata)
            )
        )
    ),

    INDEX metadata_tokens_text metadata_tokens TYPE text(tokenizer = 'array'),
    INDEX message_words lowerUTF8(message) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1,
    INDEX trace_id_bloom trace_id TYPE bloom_filter(0.002) GRANULARITY 1,
    INDEX batch_id_bloom batch_id TYPE bloom_filter(0.01) GRANULARITY 4,
    PROJECTION counts_by_hour
    (
        SELECT tenant_id, toStartOfHour(timestamp), project_id, service, level, count()
        GROUP BY tenant_id, toStartOfHour(timestamp), project_id, service, level
    )
)
ENGINE = {engine}
PARTITION BY (expires_on, bulk)
ORDER BY (tenant_id, service, timestamp)
SETTINGS
    non_replicated_deduplication_window = 100000,
    replicated_deduplication_window = 100000,
    replicated_deduplication_window_seconds = 691200
