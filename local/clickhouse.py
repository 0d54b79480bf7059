"""The `clickhouse` child: ClickHouse's HTTP interface in front of the embedded engine.

It supports what clickhouse-connect and curl use: `GET /ping`; `GET` and `POST /` with the statement in
`query` or in the body; `database`, settings and `param_*` in the URL, or in a form (multipart/form-data) with
`query`; Basic or X-ClickHouse-User/-Key credentials; INSERT data as sent (identity, gzip, deflate, zstd of
any number of frames); `query_id`, with one statement at a time for each; `readonly` users. Not supported:
sessions, compressed responses, progress headers, grants (every user may read every database). Loopback only.
`POST /_fault` orders faults for tests: see local.faults.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from local.child import configuration
from local.clickhouse_http import ClickHouseHttp
from local.engine import Engine
from local.serving import Listener, wait_for_stop_signal


@dataclass(frozen=True, slots=True)
class Configuration:
    """`users`: see Face. `spool` holds bodies while the engine reads them."""

    port: int
    data: str
    spool: str
    users: dict[str, dict[str, str]]


async def serve(config: Configuration) -> None:
    """Serve until SIGTERM or SIGINT; then close the engine cleanly."""
    spool = Path(config.spool)
    spool.mkdir(parents=True, exist_ok=True)
    for left_over in spool.iterdir():
        left_over.unlink()
    databases = {user["database"] for user in config.users.values()}
    engine = Engine(Path(config.data), databases)
    face = ClickHouseHttp(engine, spool, config.users)
    listener = Listener(face.application(), config.port)
    loop = asyncio.get_running_loop()
    # Answer this request first.
    face.take_down = lambda seconds: loop.call_later(0.05, loop.create_task, listener.rest(seconds))
    await listener.open()
    await wait_for_stop_signal()
    await listener.close()
    engine.close()


if __name__ == "__main__":
    asyncio.run(serve(configuration(Configuration)))
