"""The events of BYOC tenants: in each one's own ClickHouse, reached with their credentials."""

from collections.abc import Iterator
from contextlib import contextmanager

from functions.query.archive import Archive, Limits, search_unavailable
from functions.query.compile import Statement
from functions.shared.custody.buckets import NoDestinationError, no_destination
from functions.shared.custody.clouds import Custody
from functions.shared.custody.sealing import SealBrokenError
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.guarded.guard import AddressRefusedError
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Selection, WarehouseRefusedError

_NO_TABLE_CODES = frozenset({60, 81})
_CREDENTIAL_CODES = frozenset({192, 193, 194, 497, 516})


class OwnArchives:
    """Runs a tenant's statements on the tenant's own ClickHouse."""

    def __init__(self, custody: Custody, limits: Limits, timeout_seconds: int) -> None:
        self._custody = custody
        self._limits = limits
        self._timeout_seconds = timeout_seconds

    def find(self, tenant: TenantId, statement: Statement) -> Selection:
        """The rows of `statement`; none before the first logs were loaded, when there is no table yet.

        Raises
        ------
        RefusalError: 503 `destination_unavailable` when it is the customer's ClickHouse that does not answer
            or does not let us in; 403 `no_destination`; else as Archive.find.
        """
        with self._refusing(tenant):
            warehouse = self._custody.warehouse(tenant, self._timeout_seconds)
            archive = Archive(warehouse, self._limits, lambda fault: self._unavailable(tenant, fault))
            try:
                return archive.find(statement)
            except WarehouseRefusedError as refusal:
                if refusal.engine_code in _NO_TABLE_CODES:
                    return Selection([], 0, 0.0)
                if refusal.engine_code in _CREDENTIAL_CODES:
                    raise self._unavailable(tenant, refusal) from None
                raise

    @contextmanager
    def _refusing(self, tenant: TenantId) -> Iterator[None]:
        try:
            yield
        except NoDestinationError:
            raise no_destination() from None
        except (SealBrokenError, AddressRefusedError) as fault:
            raise self._unavailable(tenant, fault) from None
        except RetryableError:
            raise search_unavailable() from None
        except (ValueError, LookupError, TypeError) as fault:
            # What answers there speaks no ClickHouse.
            raise self._unavailable(tenant, fault) from None

    def _unavailable(self, tenant: TenantId, _fault: Exception) -> RefusalError:
        """The credentials may have been rotated: the next search reads them anew."""
        self._custody.forget(tenant)
        return RefusalError(
            503,
            "destination_unavailable",
            "Your own ClickHouse cannot be searched now: see what POST /v1/destination/test says of it.",
            retry_after_seconds=2,
        )
