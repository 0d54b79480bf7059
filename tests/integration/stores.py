"""What stands for a ClickHouse behind the functions that search."""

from typing import Any

from functions.shared.warehouse import Warehouse


class WithoutHttp:
    """An engine in this process. The id of a query is a parameter of the HTTP interface, not a setting."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    def engine_version(self) -> tuple[int, int]:
        return self.warehouse.engine_version()

    def select_json(self, sql: str, parameters: Any, settings: dict[str, Any]) -> bytes:
        others = {name: value for name, value in settings.items() if name != "query_id"}
        return self.warehouse.select_json(sql, parameters, others)


class FailingStore:
    """A store where every statement ends with `fault`."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def engine_version(self) -> tuple[int, int]:
        return (26, 9)

    def select_json(self, *_: Any) -> bytes:
        raise self.fault
