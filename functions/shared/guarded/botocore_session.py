"""botocore's HTTP session, with connections opened by a Guard and no proxy."""

from typing import Any

from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool, AWSPreparedRequest, AWSResponse
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from functions.shared.guarded.guard import AddressRefusedError, Guard
from functions.shared.guarded.pools import pool_classes


class GuardedSession(URLLib3Session):  # type: ignore[misc]  # botocore has no types
    """Sends what botocore has signed. An address that is refused raises AddressRefusedError, unwrapped.

    Parameters
    ----------
    timeout: seconds to connect, seconds to read.
    verify: True for certifi's roots, or the path of others; verifying cannot be turned off.
    """

    def __init__(self, guard: Guard, timeout: tuple[float, float], verify: bool | str = True) -> None:
        super().__init__(verify=verify or True, timeout=timeout, proxies={})
        self._pool_classes_by_scheme = pool_classes(guard, AWSHTTPConnectionPool, AWSHTTPSConnectionPool)
        self._manager.pool_classes_by_scheme = self._pool_classes_by_scheme

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        try:
            return super().send(request)
        except HTTPClientError as fault:
            cause: Any = fault.kwargs.get("error")
            if isinstance(cause, AddressRefusedError):
                raise cause from None
            raise
