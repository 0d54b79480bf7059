"""Many rows in the events table, made by the engine itself, and among them a few with rare values.

A day has ROWS_A_DAY rows, of which 19 in 20 are of the tenant `acme` and the others of `beta`. On day 3 five
rows, three of them of `acme`, have a rare value in every column and key.
"""
# ruff: noqa: S608 - the statement is of this module alone

from functions.shared.warehouse import Warehouse

ROWS_A_DAY = 100_000
REQUEST_ID = "d25ab50e-8c40-4a5b-9d0c-3f6a7b1c2d3e"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"

_INSERT = f"""
INSERT INTO events (
    tenant_id, project_id, timestamp, received_at, level, service, message, trace_id, span_id, metadata,
    batch_id, expires_on, object_id, position
)
WITH
    cityHash64(number, {{day:UInt8}}) AS hash,
    {{day:UInt8}} = 3 AND number IN (7, 33007, 66007, 20, 33020) AS rare,
    toDateTime64('2026-11-01 00:00:00', 9, 'UTC') + toIntervalDay({{day:UInt8}} - 1)
        + toIntervalMillisecond(number * 864) AS at
SELECT
    if(number % 20 = 0, 'beta', 'acme'),
    if(rare, 'trial', 'shop'),
    at,
    at + toIntervalSecond(1),
    multiIf(rare, 'fatal', hash % 100 = 0, 'error', hash % 10 = 0, 'warn', 'info'),
    if(rare, 'payroll', concat('svc-', toString(intDiv(hash, 1000) % 8))),
    concat(
        if(number % 20 = 0, 'beta ', 'acme '),
        if(rare, 'deadlock found when trying to get lock; restarting transaction ', 'order '),
        toString(hash % 1000000), ' shipped to /api/v1/items/', hex(hash)
    ),
    if(rare, '{TRACE_ID}', lower(hex(MD5(concat({{day:String}}, toString(intDiv(number, 3))))))),
    lower(hex(hash)),
    concat(
        '{{"region":"', ['eu', 'us', 'ap'][1 + hash % 3], if(rare, '-lab', ''),
        '","status":', if(rare, '599', '200'),
        ',"duration_ms":', if(rare, '99999', toString(hash % 500)),
        ',"plan":', if(rare, '"SPRING-2026 for members"', '"basic monthly"'),
        ',"request_id":"', if(rare, '{REQUEST_ID}', toString(reinterpretAsUUID(MD5(toString(hash))))), '"',
        if(rare, ',"coupon":1,"retries":7', ''), '}}'
    ),
    concat('b', {{day:String}}),
    toDate('2026-12-01') + {{day:UInt8}},
    concat('06b2x5s3dgqkzr0v8m1tnc4f7', char(98 + {{day:UInt8}}), toString(intDiv(number, 500))),
    number % 500
FROM numbers({ROWS_A_DAY})
"""


def insert_day(warehouse: Warehouse, day: int) -> None:
    """Insert the rows of a day of November 2026, from 1, as one part."""
    warehouse.command(_INSERT, {"day": day})
