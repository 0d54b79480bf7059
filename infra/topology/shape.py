"""Types of the topology: a function's handler, memory, timeout, settings, grants and triggers."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class QueueSource:
    """Lambda polls `queue`; a function gets up to `batch_size` messages gathered over `window_seconds`.

    `max_concurrency`: of the function's invocations for this queue. None: no limit, and Lambda polls an idle
    queue with as few as two connections instead of five.
    """

    queue: str
    batch_size: int
    window_seconds: int
    max_concurrency: int | None


@dataclass(frozen=True, slots=True)
class Throttle:
    """The gateway's limit for one route, over all callers: a token bucket.

    `rate` requests a second in the long run, `burst` at once. Above it the gateway itself answers 429, before
    the authorizer and any function.
    """

    rate: int
    burst: int


@dataclass(frozen=True, slots=True)
class Route:
    """`auth`: whether the authorizer is called first. Methods and paths are those of an HTTP API.

    `throttle`: None for the default that routes without their own have.
    `protocols`: of a route that accepts logs, the modules of functions/ingest/protocols that read it; each is
    asked whether a request is its own, and the last one reads what the others do not.
    `is_api`: false for a page of the dashboard, which the OpenAPI document and the API's 405 leave out.
    """

    method: str
    path: str
    auth: bool = True
    throttle: Throttle | None = None
    protocols: tuple[str, ...] = ()
    is_api: bool = True


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function: one folder of `functions/`, one zip, one handler.

    `settings`: names of settings without the ASTRALOG_ prefix -> values: a resource's kind and name
    (`bucket:staging`, `table:ledger`, `queue:staged`, `secret:warehouse`, `key:credentials`, `identity:pool`,
    `mail:notices`), the URL of a service (`service:api`, our own public API, or one of SERVICES) or a plain
    value.
    `grants`: permissions as `verb:resource`; the deployed role allows these and nothing else.
    """

    name: str
    handler: str
    memory_mb: int
    timeout_seconds: int
    settings: dict[str, str] = field(default_factory=dict)
    grants: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    source: QueueSource | None = None
    schedule_minutes: int | None = None
    local_concurrency: int = 1
    """Maximum number of execution environments in the local stack."""
    reserved_concurrency: int | None = None
    """Reserved concurrency, of RESERVABLE executions: reserved for this function and its maximum.

    None: the function shares the unreserved rest. infra.concurrency scales it to the account.
    """

    @property
    def folder(self) -> str:
        """The folder below `functions/` that goes into its zip."""
        return self.handler.split(".")[1]
