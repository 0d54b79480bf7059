"""botocore's HTTP session with egress filter, bounded answers and no proxy."""

from typing import Any

from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool, AWSPreparedRequest, AWSResponse
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from functions.shared.guarded.answers import SMALL_ANSWER_BYTES, AnswerRefusedError, bounded
from functions.shared.guarded.guard import AddressRefusedError, Guard
from functions.shared.guarded.pools import pool_classes

MAX_OBJECT_BYTES = 128 * 1024 * 1024

MAX_TAGS = 100_000
"""Of an XML answer, four times those of a listing's page: each tag becomes several Python objects."""

OBJECT_SECONDS = 30
"""From the request of an object to the last byte of its body."""


class GuardedSession(URLLib3Session):  # type: ignore[misc]  # botocore has no types
    """Sends the requests that botocore has signed.

    A rejected address raises AddressRefusedError, a too long answer AnswerRefusedError, both unwrapped.
    Reading the body of an object may raise them, too. A body that arrives too slowly ends in a timeout.

    Parameters
    ----------
    timeout: seconds to connect, seconds to read.
    verify: True for certifi's roots, or the path of others; verification cannot be turned off.
    """

    def __init__(self, guard: Guard, timeout: tuple[float, float], verify: bool | str = True) -> None:
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
        """Return the answer; the body of an object is not read yet."""
        streams = request.stream_output
        most = (MAX_OBJECT_BYTES, OBJECT_SECONDS) if streams else (SMALL_ANSWER_BYTES, self._seconds)
        try:
            with bounded(*most):
                answer = super().send(request)
        except HTTPClientError as fault:
            cause: Any = fault.kwargs.get("error")
            if isinstance(cause, AddressRefusedError | AnswerRefusedError):
                raise cause from None
            raise
        if not streams and answer.content.count(b"<") > MAX_TAGS:
            raise AnswerRefusedError("the answer has too many elements")
        return answer
