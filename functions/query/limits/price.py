"""What a search costs us, by one table of constants. Pure.

A search costs the CPU time of our ClickHouse: its disks are paid by the month, and the AWS requests of a
search are $0.000003. CPU time follows the uncompressed bytes that the engine reads, so an estimate multiplies
those (docs/adr/0045-cost-of-a-search.md has the measurements).
"""

from dataclasses import dataclass

GB = 10**9


@dataclass(frozen=True, slots=True)
class SearchPrice:
    """`usd_a_cpu_hour`: of a ClickHouse server, as in infra/cost/prices.toml (a test compares them).

    `bytes_a_row`: uncompressed bytes of the columns that a search reads. `bytes_a_cpu_second`: how many the
    engine reads and checks.
    """

    usd_a_cpu_hour: float
    bytes_a_row: int
    bytes_a_cpu_second: int

    @property
    def usd_a_gb(self) -> float:
        """The price of scanned data, uncompressed."""
        return self.usd_a_cpu_hour / 3600 * GB / self.bytes_a_cpu_second

    def bytes_of(self, rows: int) -> int:
        """The bytes that are read for `rows`."""
        return rows * self.bytes_a_row

    def usd_of(self, rows: int) -> float:
        """Dollars, to a millionth of a cent."""
        return round(self.bytes_of(rows) / GB * self.usd_a_gb, 8)


PRICE = SearchPrice(usd_a_cpu_hour=0.20, bytes_a_row=300, bytes_a_cpu_second=750_000_000)
