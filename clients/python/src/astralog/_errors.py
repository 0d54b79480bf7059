"""What `on_error` gets."""

from __future__ import annotations


class DeliveryError(Exception):
    """A request failed, or records were lost.

    Attributes
    ----------
    status: the HTTP status; None without a response.
    code: the service's code of the error, such as `quota_exceeded`; empty without one.
    lost: records that are lost with it; 0 while they will be sent again.
    """

    def __init__(self, message: str, *, status: int | None = None, code: str = "", lost: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.lost = lost
