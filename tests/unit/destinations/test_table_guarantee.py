"""Which tables drop a batch that is sent twice."""

import pytest

from functions.destinations.guarantee import AT_LEAST_ONCE, EXACTLY_ONCE, guarantee_of, not_kept
from functions.shared.schema.migration_files import migrations

OURS = "MergeTree PARTITION BY d ORDER BY t SETTINGS "


@pytest.mark.parametrize(
    ("engine", "settings", "guarantee"),
    [
        ("MergeTree", "non_replicated_deduplication_window = 100, index_granularity = 8192", EXACTLY_ONCE),
        ("MergeTree", "non_replicated_deduplication_window = 0", AT_LEAST_ONCE),
        ("MergeTree", "index_granularity = 8192", AT_LEAST_ONCE),
        ("MergeTree", "replicated_deduplication_window = 100", AT_LEAST_ONCE),
        ("ReplicatedMergeTree", "index_granularity = 8192", EXACTLY_ONCE),
        ("ReplicatedMergeTree", "replicated_deduplication_window = 7", EXACTLY_ONCE),
        ("ReplicatedMergeTree", "replicated_deduplication_window = 0", AT_LEAST_ONCE),
        ("ReplicatedMergeTree", "non_replicated_deduplication_window = 0", EXACTLY_ONCE),
        ("SharedMergeTree", "replicated_deduplication_window = 7", EXACTLY_ONCE),
        ("SharedMergeTree", "replicated_deduplication_window = 0", AT_LEAST_ONCE),
        ("SharedMergeTree", "replicated_deduplication_window_seconds = 0", EXACTLY_ONCE),
        ("ReplacingMergeTree", "non_replicated_deduplication_window = 100", AT_LEAST_ONCE),
        ("ReplicatedReplacingMergeTree", "replicated_deduplication_window = 100", AT_LEAST_ONCE),
        ("Distributed", "", AT_LEAST_ONCE),
        ("Null", "", AT_LEAST_ONCE),
        ("Buffer", "", AT_LEAST_ONCE),
        ("", "", AT_LEAST_ONCE),
    ],
)
def test_only_a_table_that_remembers_batches_is_exactly_once(
    engine: str, settings: str, guarantee: str
) -> None:
    judged = guarantee_of(engine, OURS + settings)
    assert judged.name == guarantee
    assert (judged.advice is None) == (guarantee == EXACTLY_ONCE)


def test_a_table_as_our_sql_makes_it_is_exactly_once_on_each_engine() -> None:
    settings = migrations()[0].statement.rpartition("SETTINGS")[2].replace("\n", " ")
    for engine in ("MergeTree", "ReplicatedMergeTree", "SharedMergeTree"):
        assert guarantee_of(engine, f"{engine} ORDER BY t SETTINGS {settings}").name == EXACTLY_ONCE


def test_text_that_a_table_quotes_is_no_setting() -> None:
    quoting = "MergeTree ORDER BY if(x = 'non_replicated_deduplication_window = 9', 1, 2)"
    assert guarantee_of("MergeTree", quoting).name == AT_LEAST_ONCE


def test_a_table_that_merges_rows_is_said_to() -> None:
    assert "merge rows" in guarantee_of("ReplacingMergeTree", "").why
    assert "merge rows" not in guarantee_of("Distributed", "").why


def test_a_batch_that_was_seen_twice_outweighs_what_the_table_says() -> None:
    judged = guarantee_of("MergeTree", OURS + "non_replicated_deduplication_window = 100")
    assert not_kept(judged).name == AT_LEAST_ONCE
    assert not_kept(not_kept(judged)) == not_kept(judged)
