"""A staged row, and the values that all rows of a request share."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from msgspec import Raw, Struct, field

from functions.shared.events.staged_key import time_ordered_id
from functions.shared.events.timestamps import EARLIEST, LATEST_AHEAD
from functions.shared.tenancy import TenantId

NO_METADATA = Raw(b"{}")


class Row(Struct, gc=False):
    """The COLUMNS of functions.shared.events.staged_key; `metadata` is JSON text as sent, byte for byte.

    functions.shared.events.encoding sets the last two, which are the last in the row's text, too.
    """

    tenant_id: str
    project_id: str
    timestamp: str
    level: str
    service: str
    message: str
    trace_id: str
    span_id: str
    received_at: str
    metadata: Raw
    object_id: str = ""
    position: int = 0


class ReceiptContext(Struct, frozen=True):
    """The values that all rows of a request share: owner, time of receipt, retention.

    `object_id`: of the staged object that the request becomes; of a file's first one.
    """

    tenant: TenantId
    project_id: str
    received_at: datetime
    retention_days: int
    object_id: str = field(default_factory=time_ordered_id)

    @property
    def expires_on(self) -> date:
        """The last UTC day on which the rows are kept; they are deleted the day after."""
        return self.received_at.date() + timedelta(days=self.retention_days)

    @property
    def received_text(self) -> str:
        return _text_of(self.received_at)

    @property
    def earliest(self) -> datetime:
        return EARLIEST

    @property
    def latest(self) -> datetime:
        return self.received_at + LATEST_AHEAD


@lru_cache(maxsize=16)
def _text_of(moment: datetime) -> str:
    """Cached, because every row of a request needs it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
