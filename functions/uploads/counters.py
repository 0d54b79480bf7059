"""Counters of one account in the table of uploads, each for a period and deleted after it.

`staged#<window>`: bytes that files of the account have staged lately. `open#<hour>`: uploads announced in
that hour whose file has not arrived. `rate#<window>`: files announced or resumed in that window.
`kept#<day>`: originals in our bucket, which S3 deletes a month later.
Every change is one atomic update, so two concurrent requests cannot both get the last place.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pynamodb.expressions.condition import Condition

from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.uploads import UploadCounterItem
from functions.shared.tenancy import TenantId
from functions.uploads import items
from functions.uploads.items import KEPT_ORIGINALS, OPEN_UPLOADS, STAGED_BYTES, UPLOAD_RATE

WINDOW_SECONDS = 90
WINDOWS = 3
"""Usage staged in the last 180 to 270 seconds may not be metered yet: the meter runs each minute."""

MAX_OPEN_UPLOADS = 1_000
MAX_OPEN_BYTES = 1024**4
"""Limits on the files that an account announces in one clock hour and that have not arrived."""

RATE_SECONDS = 10
MAX_FILES_A_WINDOW = 200
"""Files that an account may announce or resume in one window (docs/adr/0037)."""

MAX_KEPT_FILES = 100_000
MAX_KEPT_BYTES = 100 * 1024**3
KEPT_DAYS = 31
"""S3 deletes an original after 30 days, rounded up to whole days."""

_SECONDS_AN_HOUR, _SECONDS_A_DAY = 3_600, 86_400


class _Counters:
    """The items of one kind: `files` and `bytes` of a period. Raises StoreUnavailableError."""

    def __init__(self, table: str, client: Any = None, clock: Callable[[], float] = time.time) -> None:
        self._table = Table(UploadCounterItem, table, client)
        self._clock = clock

    def _add(self, tenant: TenantId, entry: str, files: int, size_bytes: int, forget_at: float) -> None:
        self._update(tenant, entry, files, size_bytes, forget_at, None)

    def _update(
        self,
        tenant: TenantId,
        entry: str,
        files: int,
        size_bytes: int,
        forget_at: float,
        condition: Condition | None,
    ) -> bool:
        """Whether the condition held."""
        try:
            self._table.update(
                items.key(tenant, entry),
                UploadCounterItem.files.add(files),
                UploadCounterItem.size_bytes.add(size_bytes),
                UploadCounterItem.forget_at.set(int(forget_at)),
                condition=condition,
            )
        except ConditionFailedError:
            return False
        return True

    def _sums(self, tenant: TenantId, first: str, last: str) -> tuple[int, int]:
        """Files and bytes of the entries from `first` to `last`, at most some dozens."""
        counters = list(self._table.query(str(tenant), sort=UploadCounterItem.entry.between(first, last)))
        return sum(each.files for each in counters), sum(each.size_bytes for each in counters)


class StagedBytes(_Counters):
    """Bytes of rows that files of an account staged in the last minutes and that may not be metered yet."""

    def add(self, tenant: TenantId, raw_bytes: int) -> None:
        """Count an object of `raw_bytes`."""
        window = self._window()
        self._add(tenant, _window(window), 1, raw_bytes, self._clock() + _SECONDS_A_DAY)

    def recent(self, tenant: TenantId) -> int:
        """Bytes staged in the last WINDOWS windows, including the current one."""
        window = self._window()
        return self._sums(tenant, _window(window - WINDOWS + 1), _window(window))[1]

    def _window(self) -> int:
        return int(self._clock() // WINDOW_SECONDS)


class OpenUploads(_Counters):
    """Announced uploads whose file has not arrived yet, by the hour of their announcement."""

    def take(self, tenant: TenantId, size_bytes: int, at: int) -> bool:
        """Count an upload announced at `at`, Unix seconds; False when the account may announce no more."""
        few = UploadCounterItem.files < MAX_OPEN_UPLOADS
        small = UploadCounterItem.size_bytes <= MAX_OPEN_BYTES - size_bytes
        condition = UploadCounterItem.entry.does_not_exist() | (few & small)
        return self._update(tenant, _hour(at), 1, size_bytes, at + _SECONDS_A_DAY, condition)

    def release(self, tenant: TenantId, size_bytes: int, at: int, files: int = 1) -> None:
        """Stop counting `files` uploads announced in the hour of `at`: their files have arrived."""
        condition = _holds(size_bytes, files)
        self._update(tenant, _hour(at), -files, -size_bytes, at + _SECONDS_A_DAY, condition)


class UploadRate(_Counters):
    """Files that an account puts on the queue of all accounts, by windows of RATE_SECONDS."""

    def take(self, tenant: TenantId) -> int:
        """Count a file; 0, or after how many seconds to retry because the window has its maximum."""
        now = int(self._clock())
        window, passed = divmod(now, RATE_SECONDS)
        condition = UploadCounterItem.entry.does_not_exist() | (UploadCounterItem.files < MAX_FILES_A_WINDOW)
        entry = f"{UPLOAD_RATE}{window:012d}"
        if self._update(tenant, entry, 1, 0, now + _SECONDS_AN_HOUR, condition):
            return 0
        return RATE_SECONDS - passed


class KeptOriginals(_Counters):
    """Originals that stay in our bucket after they were read or rejected, by the day they were counted."""

    def take(self, tenant: TenantId, size_bytes: int, files: int = 1) -> str:
        """Count `files` more originals; return their day, or empty when the account has reached its limit.

        Two concurrent calls that would pass the limit together may both be rejected; the limit is never
        passed.
        """
        now = datetime.fromtimestamp(self._clock(), UTC)
        day, forget_at = f"{now:%Y-%m-%d}", now.timestamp() + (KEPT_DAYS + 1) * _SECONDS_A_DAY
        self._add(tenant, KEPT_ORIGINALS + day, files, size_bytes, forget_at)
        first = f"{now - timedelta(days=KEPT_DAYS):%Y-%m-%d}"
        kept_files, kept_bytes = self._sums(tenant, KEPT_ORIGINALS + first, KEPT_ORIGINALS + day)
        if kept_files <= MAX_KEPT_FILES and kept_bytes <= MAX_KEPT_BYTES:
            return day
        self._add(tenant, KEPT_ORIGINALS + day, -files, -size_bytes, forget_at)
        return ""

    def release(self, tenant: TenantId, size_bytes: int, day: str, files: int = 1) -> None:
        """Stop counting `files` originals of `day`: they are deleted, or were not kept."""
        began = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
        forget_at = began + (KEPT_DAYS + 2) * _SECONDS_A_DAY
        condition = _holds(size_bytes, files)
        self._update(tenant, KEPT_ORIGINALS + day, -files, -size_bytes, forget_at, condition)


def _holds(size_bytes: int, files: int = 1) -> Condition:
    """The counter has at least so many files and bytes."""
    condition: Condition = (UploadCounterItem.files >= files) & (UploadCounterItem.size_bytes >= size_bytes)
    return condition


def _window(number: int) -> str:
    return f"{STAGED_BYTES}{number:012d}"


def hour_of(at: int) -> int:
    """The hour in which an upload announced at `at` is counted."""
    return at // _SECONDS_AN_HOUR


def _hour(at: int) -> str:
    return f"{OPEN_UPLOADS}{hour_of(at):09d}"
