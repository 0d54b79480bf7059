"""An account's saved searches in DynamoDB, and the changes of them.

Every change is one transaction with its entry in the audit trail. One more item of the account counts its
searches: the condition on it holds the limit, also for changes at the same time.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from functions.accounts.saved_search import SavedSearch, SearchState, is_search_id
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.errors import HttpError
from functions.shared.tables.saved_searches import SavedSearchItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, write_all
from functions.shared.tenancy import TenantId

MAX_SAVED = 200
COUNT = "!count"
"""Sort key of the number of searches: no id begins with `!`."""

_ID_CHARACTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 12


class SavedSearches:
    """Every method raises StoreUnavailableError when DynamoDB fails; a change may have been made.

    Parameters
    ----------
    client: a boto3 client for DynamoDB.
    clock: seconds since 1970.
    """

    def __init__(
        self, table_name: str, audit: AuditTrail, client: Any, clock: Callable[[], float] = time.time
    ) -> None:
        self._table = Table(SavedSearchItem, table_name, client)
        self._audit = audit
        self._client = client
        self._clock = clock

    def list(self, tenant: TenantId) -> list[SavedSearch]:
        """All of `tenant`, by name."""
        found = [_search(item) for item in self._table.query(str(tenant)) if item.search_id != COUNT]
        return sorted(found, key=lambda each: (each.state.name.casefold(), each.search_id))

    def get(self, tenant: TenantId, search_id: str) -> SavedSearch:
        """The one with this id.

        Raises
        ------
        HttpError: 404 `not_found`, also for one of another tenant.
        """
        item = self._table.get((str(tenant), search_id)) if is_search_id(search_id) else None
        if item is None:
            raise _not_found()
        return _search(item)

    def create(self, tenant: TenantId, state: SearchState, who: Origin) -> SavedSearch:
        """Save `state` under a new id.

        Raises
        ------
        HttpError: 409 `too_many_saved_searches`.
        """
        now = int(self._clock())
        new = SavedSearch(_new_id(), state, now, who.actor, now)
        put = self._table.write_of_put(_item(tenant, new), SavedSearchItem.search_id.does_not_exist())
        try:
            self._write(tenant, who, "search.saved", new.search_id, [put, self._counted(tenant, 1)])
        except ConditionFailedError:
            raise HttpError(
                409,
                "too_many_saved_searches",
                f"An account has at most {MAX_SAVED} saved searches: delete one that is unused.",
            ) from None
        return new

    def change(self, tenant: TenantId, search_id: str, changes: dict[str, Any], who: Origin) -> SavedSearch:
        """Set the attributes `changes` of SearchState; the last of two changes at the same time wins.

        Raises
        ------
        HttpError: 404 `not_found`.
        """
        found = self.get(tenant, search_id)
        changed = replace(found, state=replace(found.state, **changes), updated_at=int(self._clock()))
        put = self._table.write_of_put(_item(tenant, changed), SavedSearchItem.search_id.exists())
        try:
            self._write(tenant, who, "search.changed", search_id, [put])
        except ConditionFailedError:
            raise _not_found() from None
        return changed

    def delete(self, tenant: TenantId, search_id: str, who: Origin) -> None:
        """Delete one.

        Raises
        ------
        HttpError: 404 `not_found`.
        """
        if not is_search_id(search_id):
            raise _not_found()
        gone = self._table.write_of_delete((str(tenant), search_id), SavedSearchItem.search_id.exists())
        try:
            self._write(tenant, who, "search.deleted", search_id, [gone, self._counted(tenant, -1)])
        except ConditionFailedError:
            raise _not_found() from None

    def _counted(self, tenant: TenantId, by: int) -> Write:
        """The write that counts one more or one less, on condition that the limit holds."""
        saved = SavedSearchItem.saved
        condition = saved.does_not_exist() | (saved < MAX_SAVED) if by > 0 else saved > 0
        return self._table.write_of_update((str(tenant), COUNT), saved.add(by), condition=condition)

    def _write(
        self, tenant: TenantId, who: Origin, action: str, subject: str, writes: Sequence[Write]
    ) -> None:
        write_all(self._client, [*writes, self._audit.entry(tenant, who, action, subject)])


def _new_id() -> str:
    return "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))


def _item(tenant: TenantId, search: SavedSearch) -> SavedSearchItem:
    state = search.state
    return SavedSearchItem(
        str(tenant),
        search.search_id,
        name=state.name,
        query_text=state.query,
        since=state.since,
        until=state.until,
        view=state.view,
        columns=list(state.columns),
        compare=state.compare,
        wrap=state.wrap,
        created_at=search.created_at,
        created_by=search.created_by,
        updated_at=search.updated_at,
    )


def _search(item: SavedSearchItem) -> SavedSearch:
    state = SearchState(
        name=item.name,
        query=item.query_text,
        since=item.since,
        until=item.until,
        view=item.view,
        columns=tuple(item.columns),
        compare=item.compare,
        wrap=item.wrap,
    )
    return SavedSearch(item.search_id, state, item.created_at, item.created_by, item.updated_at)


def _not_found() -> HttpError:
    return HttpError(404, "not_found", "There is no saved search with this id.")
