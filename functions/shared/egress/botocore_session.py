"""botocore's HTTP session with egress filter, bounded answers and no proxy."""

from typing import Any

from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool, AWSPreparedRequest, AWSResponse
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from functions.shared.egress.egress_filter import AddressRefusedError, EgressFilter
from functions.shared.egress.pools import pool_classes
from functions.shared.egress.response_limits import (
    SMALL_ANSWER_BYTES,
    AnswerRefusedError,
    bounded,
    is_time_over,
)

MAX_OBJECT_BYTES = 128 * 1024 * 1024

MAX_TAGS = 100_000
"""The limit for an XML response, four times a listing's page: each tag becomes several Python objects."""

OBJECT_SECONDS = 30
"""From the request of an object to the last byte of its body."""


class FilteredSession(URLLib3Session):  # type: ignore[misc]  # botocore has no types
    """Sends the requests that botocore has signed.

    An address that is refused raises AddressRefusedError, an answer that is too long AnswerRefusedError, both
    unwrapped; so may the body of an object while it is read. A body that drips ends in a timeout. When the
    caller's own time is over (answers.bounded), the fault is a TimeoutError, which botocore does not retry.

    Parameters
    ----------
    timeout: seconds to connect, seconds to read.
    verify: True for certifi's roots, or the path of others; verification cannot be turned off.
    """

    def __init__(self, guard: EgressFilter, timeout: tuple[float, float], verify: bool | str = True) -> None:
        super().__init__(verify=verify or True, timeout=timeout, proxies={})
        # An object may be stored with a Content-Encoding: botocore passes it through unchanged.
        self._pool_classes_by_scheme = pool_classes(
            guard,
            AWSHTTPConnectionPool,
            AWSHTTPSConnectionPool,
            max_answer_bytes=MAX_OBJECT_BYTES,
            plain=False,
        )
        self._manager.pool_classes_by_scheme = self._pool_classes_by_scheme
        connect_seconds, read_seconds = timeout
        # The time to connect, to send, and to get the answer.
        self._seconds = connect_seconds + 2 * read_seconds

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """The answer; the body of an object is still to be read."""
        _stop_in_time()
        streams = request.stream_output
        most = (MAX_OBJECT_BYTES, OBJECT_SECONDS) if streams else (SMALL_ANSWER_BYTES, self._seconds)
        try:
            with bounded(*most):
                answer = super().send(request)
        except HTTPClientError as fault:
            cause: Any = fault.kwargs.get("error")
            if isinstance(cause, AddressRefusedError | AnswerRefusedError):
                raise cause from None
            _stop_in_time()
            raise
        if not streams and answer.content.count(b"<") > MAX_TAGS:
            raise AnswerRefusedError("the answer has too many elements")
        return answer


def _stop_in_time() -> None:
    """Raises TimeoutError once the caller's time is over: another attempt would only wait for its turn."""
    if is_time_over():
        raise TimeoutError("the bucket takes too long")
