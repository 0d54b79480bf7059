"""Search, in our ClickHouse or in the customer's own."""

from infra.topology.custody import CUSTODY, MAY_REACH_CUSTOMERS
from infra.topology.shape import Function, Route
from infra.topology.throttles import SEARCH

FUNCTIONS = (
    Function(
        name="query",
        handler="functions.query.handler.handler",
        memory_mb=1024,
        timeout_seconds=29,
        settings={"warehouse_secret": "secret:warehouse", "query_timeout_seconds": "20", **CUSTODY},
        grants=("read:secret:warehouse", *MAY_REACH_CUSTOMERS),
        routes=(Route("POST", "/v1/search", throttle=SEARCH),),
        local_concurrency=2,
    ),
)
