"""Items about all accounts that name one: an announcement for it alone, a reconciliation that lists it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from functions.privacy.holding import Holding
from functions.privacy.tables import Tables
from functions.shared.tenancy import TenantId

EVERYBODY = "*"
"""The partition of items about all accounts; no tenant's id has this character."""

CAMPAIGNS = Holding("notices", key=("tenant_id", "notice"), named=lambda _tenant: (EVERYBODY,))
RECONCILED = Holding("usage", key=("tenant_id", "entry"), named=lambda _tenant: (EVERYBODY,))


@dataclass(frozen=True, slots=True)
class Mentions:
    """Items of no account that name `tenant`; they are deleted as a whole."""

    tables: Tables
    tenant: TenantId

    def count(self) -> int:
        return sum(1 for holding in (CAMPAIGNS, RECONCILED) for _ in self._keys(holding))

    def remove(self) -> str | None:
        for holding in (CAMPAIGNS, RECONCILED):
            self.tables.remove(holding, list(self._keys(holding)))
        return None

    def _keys(self, holding: Holding) -> Iterator[dict[str, Any]]:
        for item in self.tables.items(holding, self.tenant):
            if self._is_named_in(item):
                yield {name: item[name] for name in holding.key}

    def _is_named_in(self, item: dict[str, Any]) -> bool:
        if item.get("audience") == f"tenant={self.tenant}":
            return True
        report = json.loads(item["report"]) if "report" in item else {}
        differ = [*report.get("rows_differ", ()), *report.get("bytes_differ", ())]
        return any(each["tenant"] == self.tenant for each in differ)
