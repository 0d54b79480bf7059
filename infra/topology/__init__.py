"""The system as plain data: functions, routes, queues, tables, buckets, schedules, settings, grants.

The CDK stacks and the local stack are both built from this package, and tests compare the synthesized
template with it: the local stack runs what is deployed. It imports neither AWS packages nor our own.

Most modules define one kind of resource, its shape and all its instances: `buckets`, `tables`, `queues`,
`mail`, `secrets`, `signals`. `functions` has a module for each folder of the project's `functions/`: its
functions with schedules, routes, settings and grants. `shape` has their types; `settings`, `byoc` and
`throttles` are shared by several; `runtime` applies to all. `outputs` and `stage` have the names by which an
installation is found.
"""

from infra.topology.buckets import BUCKETS, NOTIFICATIONS, Bucket, Notification
from infra.topology.byoc import ROLE_PREFIX
from infra.topology.functions import DEFAULT_ROUTE, FUNCTIONS, function, throttles
from infra.topology.functions.accounts import AUTHORIZER
from infra.topology.functions.ingest import OPENAPI_PATH, UNKNOWN_ROUTES
from infra.topology.functions.migrate import MIGRATE
from infra.topology.functions.page import PAGE_FILES
from infra.topology.mail import MAIL_SETS, MailSet
from infra.topology.outputs import API_URL, DOMAIN_TARGET, OUTPUTS, output_name
from infra.topology.queues import QUEUES, Queue
from infra.topology.runtime import (
    ARCHITECTURE,
    HTTP_TIMEOUT_SECONDS,
    MAX_BODY_BYTES,
    PYTHON,
    RESERVABLE,
    UNRESERVED,
)
from infra.topology.secrets import KEYS, SECRETS, WAREHOUSE_SECRETS
from infra.topology.settings import API, MAIL_FROM, REFERENCE_KINDS, SERVICES
from infra.topology.shape import Function, QueueSource, Route, Throttle
from infra.topology.signals import ALARMS, SIGNALS, WARNING_METRIC, Signal
from infra.topology.stage import StageNames
from infra.topology.tables import TABLES, Index, Table, table
from infra.topology.throttles import CLOSED

__all__ = [
    "ALARMS",
    "API",
    "API_URL",
    "ARCHITECTURE",
    "AUTHORIZER",
    "BUCKETS",
    "CLOSED",
    "DEFAULT_ROUTE",
    "DOMAIN_TARGET",
    "FUNCTIONS",
    "HTTP_TIMEOUT_SECONDS",
    "KEYS",
    "MAIL_FROM",
    "MAIL_SETS",
    "MAX_BODY_BYTES",
    "MIGRATE",
    "NOTIFICATIONS",
    "OPENAPI_PATH",
    "OUTPUTS",
    "PAGE_FILES",
    "PYTHON",
    "QUEUES",
    "REFERENCE_KINDS",
    "RESERVABLE",
    "ROLE_PREFIX",
    "SECRETS",
    "SERVICES",
    "SIGNALS",
    "TABLES",
    "UNKNOWN_ROUTES",
    "UNRESERVED",
    "WAREHOUSE_SECRETS",
    "WARNING_METRIC",
    "Bucket",
    "Function",
    "Index",
    "MailSet",
    "Notification",
    "Queue",
    "QueueSource",
    "Route",
    "Signal",
    "StageNames",
    "Table",
    "Throttle",
    "function",
    "output_name",
    "table",
    "throttles",
]  # fmt: skip
