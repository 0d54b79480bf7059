"""The gateway's throttles by kind of route, over all callers (docs/adr/0024).

Per-caller limits are the functions' own. Throttles bound the cost of a route, above all of routes without an
account, so that a flood of one route leaves the others their share of the AWS account's request rate
(10,000 a second; in some regions 2,500, and bursts of 1,250).
"""

from infra.topology.shape import Throttle

INGEST = Throttle(rate=2000, burst=1000)
"""Logs. Below the request rate of an account in any region."""

DATA = Throttle(rate=500, burst=500)
"""Each other route for data: a search, an upload, or logs in a protocol that is not our own."""

CLOSED = Throttle(rate=100, burst=200)
"""The default: occasional requests of signed-in people and their programs."""

SESSIONS = Throttle(rate=50, burst=100)
"""Sign-in and refresh: below the 120 a second that Cognito accepts for all pools of an account."""

CODES = Throttle(rate=20, burst=40)
"""Attempts to enter a mailed code."""

MAILS = Throttle(rate=10, burst=20)
"""Requests that may each send a mail."""

WEBHOOK = Throttle(rate=50, burst=100)
"""Stripe retries a request answered with 429 for three days."""

PAGE = Throttle(rate=4, burst=20)
"""Each page of the dashboard: a visit asks for one of them once."""

ASSET = Throttle(rate=50, burst=200)
"""The dashboard's files: a visit asks for some ten of them, a browser that was there before for none."""

UNSUBSCRIBE = Throttle(rate=20, burst=40)

PROBE = Throttle(rate=50, burst=100)
"""Health checks, the OpenAPI document and unmatched paths: the ingest function answers them."""
