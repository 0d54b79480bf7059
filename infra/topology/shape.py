"""What a function is to us: a handler, its room and time, its settings and grants, and what triggers it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class QueueSource:
    """Lambda polls `queue`; a function gets up to `batch_size` messages gathered over `window_seconds`."""

    queue: str
    batch_size: int
    window_seconds: int
    max_concurrency: int


@dataclass(frozen=True, slots=True)
class Throttle:
    """What the gateway lets through to one route, of all callers together: a token bucket.

    `rate` requests a second in the long run, `burst` at once. Beyond it the gateway answers 429 by itself,
    before the authorizer and any function.
    """

    rate: int
    burst: int


@dataclass(frozen=True, slots=True)
class Route:
    """`auth`: the authorizer is asked first. Methods and paths are those of an HTTP API.

    `throttle`: None for that of all routes which have none of their own.
    """

    method: str
    path: str
    auth: bool = True
    throttle: Throttle | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function: one folder of `functions/`, one zip, one handler.

    `settings`: its settings' names without the ASTRALOG_ prefix -> what they stand for: a resource's kind
    and name (`bucket:staging`, `table:ledger`, `queue:staged`, `secret:warehouse`, `key:credentials`,
    `identity:pool`, `mail:notices`), the address of a service (`service:api`, our own API as the world sees
    it, or one of SERVICES) or a plain value.
    `grants`: what it may do, as `verb:resource`; the deployed role allows this and nothing else.
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
    """How many execution environments the local stack runs at the most."""
    reserved_concurrency: int | None = None
    """Of RESERVABLE concurrent executions, those that are for this function alone, and all that it gets.

    None: it shares what is not reserved. infra.concurrency scales it to the account.
    """

    @property
    def folder(self) -> str:
        """The folder below `functions/` that goes into its zip."""
        return self.handler.split(".")[1]
