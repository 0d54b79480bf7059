"""Runtime of every function, and limits of the HTTP API in front of them."""

PYTHON = "python3.13"
ARCHITECTURE = "arm64"

HTTP_TIMEOUT_SECONDS = 29
"""An HTTP API times out after 30 s."""

UNRESERVED = 100
"""Lambda reserves this many of an account's concurrent executions for functions without a reservation."""

RESERVABLE = 900
"""The rest of the default quota of 1,000: reservations in the topology are shares of it."""

MAX_BODY_BYTES = 10 * 1024 * 1024
"""An HTTP API rejects larger bodies with 413 before any function sees them."""
