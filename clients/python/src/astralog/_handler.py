"""The handler: what the application's threads touch."""

from __future__ import annotations

import atexit
import logging
import os
import ssl
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

from astralog._buffer import Buffer, Limits
from astralog._delivery import Backoff, Delivery
from astralog._errors import DeliveryError
from astralog._event import EventEncoder
from astralog._report import StandardErrorReport
from astralog._settings import endpoint_of, key_of, require_positive
from astralog._statistics import Statistics
from astralog._transport import Transport

MAX_BATCH_BYTES = 4_000_000
"""What the service accepts in a request, less a margin for headers."""

MAX_RETRY_SECONDS = 12 * 3600
"""Well below the 24 hours for which the service remembers an `Idempotency-Key`."""

MAX_MESSAGE_CHARS = 200_000
"""In UTF-8 they always fit into an event."""


class DeliveryThread(threading.Thread):
    """The thread of a handler. What is logged in any of them is not sent: it would never end."""


class Handler(logging.Handler):
    """Sends log records to AstraLog Cloud from a background thread.

    A log call encodes its record and puts it into a buffer. It never waits for the network and never raises.

    Parameters
    ----------
    url: the endpoint, such as `https://YOUR-ENDPOINT`; else ASTRALOG_URL.
    key: an API key with the scope `ingest`; else ASTRALOG_KEY.
    service, project: the service and the project of all records; without `project`, that of the key.
    metadata: fields of every record that has none of that name.
    level: of logging: lower records are ignored.
    batch_events, batch_bytes, batch_seconds: a request is sent when one of them is reached.
    buffer_events, buffer_bytes: beyond these, new records are dropped.
    max_message_chars: longer messages, and other texts, are cut.
    timeout_seconds: for connecting, and for each part of the response.
    retry_seconds: how long a request is retried.
    close_seconds: how long `close` and the end of the process wait for the buffer.
    compress: send gzip.
    ssl_context: for certificates that this machine does not trust.
    on_error: called for each failure, in the background thread; without it, the standard error gets a line
        a minute.

    Raises
    ------
    ValueError: no URL or key, or a parameter that cannot be used.
    """

    _backoff = Backoff()

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        service: str = "",
        project: str = "",
        metadata: Mapping[str, object] | None = None,
        level: int | str = logging.NOTSET,
        batch_events: int = 500,
        batch_bytes: int = 1_000_000,
        batch_seconds: float = 1.0,
        buffer_events: int = 20_000,
        buffer_bytes: int = 16_000_000,
        max_message_chars: int = 65_536,
        timeout_seconds: float = 10.0,
        retry_seconds: float = 300.0,
        close_seconds: float = 5.0,
        compress: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        on_error: Callable[[DeliveryError], None] | None = None,
    ) -> None:
        self._limits = Limits(batch_events, batch_bytes, batch_seconds, buffer_events, buffer_bytes)
        require_positive(**vars(self._limits), timeout_seconds=timeout_seconds, close_seconds=close_seconds)
        require_positive(MAX_RETRY_SECONDS, retry_seconds=retry_seconds)
        require_positive(MAX_BATCH_BYTES, batch_bytes=batch_bytes)
        require_positive(MAX_MESSAGE_CHARS, max_message_chars=max_message_chars)
        self._endpoint = endpoint_of(url)
        self._key = key_of(key)
        self._encoder = EventEncoder(service, project, dict(metadata or {}), max_message_chars)
        self._timeout = timeout_seconds
        self._retry_seconds = retry_seconds
        self._close_seconds = close_seconds
        self._compress = compress
        self._ssl_context = ssl_context
        self._on_error = on_error
        self._start_over()
        super().__init__(level)
        self._start_over_in_children()

    @property
    def statistics(self) -> Statistics:
        """What became of all records until now."""
        return self._buffer.statistics()

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter and emit, without the lock of logging: `logging.shutdown` holds it while it waits."""
        found: Any = self.filter(record)
        if found:
            self.emit(found if isinstance(found, logging.LogRecord) else record)
        return bool(found)

    def emit(self, record: logging.LogRecord) -> None:
        """Put a record into the buffer, or count it as dropped."""
        if isinstance(threading.current_thread(), DeliveryThread):
            return
        try:
            self._buffer.put(self._encoder.encode(record, self._message_of))
            if self._thread is None or not self._thread.is_alive():
                self._start()
        except Exception:  # a log call never fails
            self._buffer.drop()

    def flush(self, timeout: float | None = None) -> bool:  # type: ignore[override]  # logging ignores it
        """Send all records that were logged until now.

        Returns whether each has its result within `timeout` seconds (without it, `close_seconds`).
        """
        if isinstance(threading.current_thread(), DeliveryThread):
            return False
        return self._buffer.flush(self._close_seconds if timeout is None else timeout)

    def close(self, timeout: float | None = None) -> None:
        """Send what is in the buffer for at most `timeout` seconds, then end; the rest counts as dropped.

        It is called at the end of the process. Later records count as dropped.
        """
        seconds = self._close_seconds if timeout is None else timeout
        if self._buffer.begin_close(seconds):
            atexit.unregister(self.close)
            thread = self._thread
            if thread is None or not thread.is_alive():
                self._delivery().run()
            elif thread is not threading.current_thread():
                self._buffer.flush(seconds)
            lost = self._buffer.end()
            if lost:
                self._report(DeliveryError(f"The handler was closed: {lost} records are dropped.", lost=lost))
        super().close()

    def __enter__(self) -> Handler:
        """The handler itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._endpoint} ({logging.getLevelName(self.level)})>"

    def _message_of(self, record: logging.LogRecord) -> str:
        return self.format(record) if self.formatter else record.getMessage()

    def _start_over(self) -> None:
        """Begin with an empty buffer, no thread and no connection."""
        self._buffer = Buffer(self._limits)
        self._start_lock = threading.RLock()  # a signal handler may log in here
        self._thread: threading.Thread | None = None
        self._report_hook = self._on_error or StandardErrorReport()

    def _start(self) -> None:
        """Start the thread; at the end of the interpreter there can be none, and `close` sends."""
        with self._start_lock:
            if self._buffer.is_closing() or (self._thread is not None and self._thread.is_alive()):
                return
            thread = DeliveryThread(target=self._delivery().run, name="astralog", daemon=True)
            atexit.register(self.close)
            try:
                thread.start()
            except RuntimeError:
                return
            self._thread = thread

    def _delivery(self) -> Delivery:
        return Delivery(
            self._buffer,
            Transport(self._endpoint, self._key, self._timeout, self._ssl_context),
            self._report,
            compress=self._compress,
            retry_seconds=self._retry_seconds,
            backoff=self._backoff,
        )

    def _report(self, error: DeliveryError) -> None:
        with suppress(Exception):  # a hook of the application must not end the thread
            self._report_hook(error)

    def _start_over_in_children(self) -> None:
        """After a fork, the child has an empty buffer; the parent sends its own records."""
        reference = weakref.WeakMethod(self._start_over)

        def start_over() -> None:
            method = reference()
            if method is not None:
                method()

        if hasattr(os, "register_at_fork"):  # there is no fork on Windows
            os.register_at_fork(after_in_child=start_over)
