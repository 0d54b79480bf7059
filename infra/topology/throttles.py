"""What the gateway lets through to each kind of route, of all callers together (docs/adr/0024).

Per-caller limits are the functions' own. These bound what all callers together can make a route cost, those
without an account above all, so that a flood of one route leaves the others their share of the AWS account's
request rate (10,000 a second; in some regions 2,500, and bursts of 1,250).
"""

from infra.topology.shape import Throttle

ROAD = Throttle(rate=2000, burst=1000)
"""Logs. Below the request rate of an account in any region."""

SEARCH = Throttle(rate=500, burst=500)

CLOSED = Throttle(rate=100, burst=200)
"""Every route that says nothing else: asked for by signed-in people and their programs, each now and then."""

SESSIONS = Throttle(rate=50, burst=100)
"""Log in and refresh: below the 120 a second that Cognito takes of all pools of an account."""

CODES = Throttle(rate=20, burst=40)
"""Mailed codes, tried."""

MAILS = Throttle(rate=10, burst=20)
"""Each request may send a mail."""

WEBHOOK = Throttle(rate=50, burst=100)
"""Stripe retries for three days what is answered 429."""

UNSUBSCRIBE = Throttle(rate=20, burst=40)

PROBE = Throttle(rate=50, burst=100)
"""Health checks, and paths that no route matches: both are answered by the function that takes logs."""
