"""Settings that the functions of search share: the engine's limits, and how our ClickHouse is reached."""

from dataclasses import dataclass

from functions.query.searching.event_search import SearchLimits
from functions.shared.byoc.settings import ByocSettings

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings(ByocSettings):
    """`search_secret`: the address of our ClickHouse, with a read-only user (docs/deployment.md).

    `query_timeout_seconds`: the engine's timeout; the connection's timeout is a little longer.
    `query_threads`: of the engine, for one statement.
    `row_policy_setting`: the custom setting that passes the tenant to a row policy; empty without one.
    """

    search_secret: str
    health_table: str
    query_timeout_seconds: int
    query_threads: int
    row_policy_setting: str = ""
    query_memory_mb: int = 1024
    query_result_mb: int = 64

    @property
    def limits(self) -> SearchLimits:
        return SearchLimits(
            max_seconds=self.query_timeout_seconds,
            max_memory_bytes=self.query_memory_mb * MEBIBYTE,
            max_result_bytes=self.query_result_mb * MEBIBYTE,
            max_threads=self.query_threads,
        )
