"""Our own ClickHouse, at the address and with the password that its secret has at the moment."""

from collections.abc import Callable
from typing import Any

from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.egress.response_limits import SMALL_ANSWER_BYTES
from functions.shared.secret_contract import ReadSecret, SecretsUnavailableError
from functions.shared.warehouse import Warehouse, WarehouseBusyError, WarehouseDownError

AUTHENTICATION_FAILED = 516
"""ClickHouse's code for a wrong user or password: it ran nothing."""


def read_address(read_secret: ReadSecret, secret: str, *, anew: bool = False) -> ClickHouseAddress:
    """The address in the secret of that name.

    Raises
    ------
    SecretsUnavailableError
    SettingsError: the secret is not an address.
    """
    return ClickHouseAddress.from_json(read_secret(secret, anew=anew).reveal())


class PlatformWarehouse(Warehouse):
    """The ClickHouse whose address is in `secret`, read before each statement, from a cache of minutes.

    `read_secret`: that of functions.shared.secret_store, or of signed_secrets for a faster cold start.

    A changed secret closes the connection and opens another. When ClickHouse rejects user or password, the
    secret is read at once, and if it has changed the statement is sent again.
    Every method raises WarehouseDownError when the secret was never read and cannot be.
    """

    def __init__(self, secret: str, timeout_seconds: int, read_secret: ReadSecret) -> None:
        super().__init__(self._read, timeout_seconds)
        self._secret = secret
        self._read_secret = read_secret

    def _run(self, call: Callable[[Any], Any], max_answer_bytes: float = SMALL_ANSWER_BYTES) -> Any:
        try:
            return super()._run(call, max_answer_bytes)
        except WarehouseBusyError as fault:
            if fault.engine_code != AUTHENTICATION_FAILED or not self._has_changed():
                raise
        return super()._run(call, max_answer_bytes)

    def _has_changed(self) -> bool:
        return self._read(anew=True) != self._connected_to

    def _read(self, *, anew: bool = False) -> ClickHouseAddress:
        try:
            return read_address(self._read_secret, self._secret, anew=anew)
        except SecretsUnavailableError as fault:
            raise WarehouseDownError(str(fault)) from None
