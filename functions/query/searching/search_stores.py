"""Run statements in the ClickHouse of an account, or in both in the week after its move to BYOC."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from functions.query.compile import Statement
from functions.query.results.cursor import BYOC, MANAGED, Store
from functions.shared.access import Principal
from functions.shared.forms import invalid
from functions.shared.tenancy import TenantId

T = TypeVar("T")


class RunIn(Protocol):
    """Runs a statement in one store of a tenant; `nothing` is the answer of a store without a table."""

    def __call__(
        self,
        store: Store,
        tenant: TenantId,
        selected: Statement,
        decode: Callable[[bytes], T],
        nothing: T,
        settings: Mapping[str, Any],
        /,
    ) -> T: ...


class SearchStores:
    """The stores of `caller` that a request is about: `named`, or all that have rows of the account.

    Raises
    ------
    HttpError: 400 `invalid_store` for one that the account does not have.
    """

    def __init__(
        self, caller: Principal, run_in: RunIn, named: Store | None, settings: Mapping[str, Any]
    ) -> None:
        managed = caller.has_managed_rows(time.time())
        stores: list[Store] = [*([BYOC] if caller.byoc else []), *([MANAGED] if managed else [])]
        if named is not None and named not in stores:
            raise invalid("store", f"must be {stores[0]}, or omitted: your logs are in no other ClickHouse")
        self.tenant = caller.tenant
        self._stores = stores if named is None else [named]
        self.names: Sequence[Store] = tuple(self._stores)
        self.are_ours = self.names == (MANAGED,)
        self._run_in = run_in
        self._settings = settings

    def run(self, selected: Statement, decode: Callable[[bytes], T], nothing: T) -> list[T]:
        """The decoded answers to `selected`, one of each store; as `run_each`."""
        return self.run_each([selected] * len(self._stores), decode, nothing)

    def run_each(self, selected: Sequence[Statement], decode: Callable[[bytes], T], nothing: T) -> list[T]:
        """The decoded answers to one statement for each store, in the order of `run`, at the same time.

        Raises
        ------
        HttpError: of any store; a result of one store only would look complete.
        """

        def answer(store: Store, statement: Statement) -> T:
            return self._run_in(store, self.tenant, statement, decode, nothing, self._settings)

        if len(self._stores) == 1:
            return [answer(self._stores[0], selected[0])]
        with ThreadPoolExecutor(len(self._stores)) as pool:
            return list(pool.map(answer, self._stores, selected))
