"""What every function runs on, and what the HTTP API in front of them lets through."""

PYTHON = "python3.13"
ARCHITECTURE = "arm64"

METRICS_NAMESPACE = "AstraLog"

HTTP_TIMEOUT_SECONDS = 29
"""An HTTP API cuts an answer off at 30 s."""

UNRESERVED = 100
"""Lambda leaves at least so many of an account's concurrent executions to functions that reserve none."""

RESERVABLE = 900
"""What is left of the 1,000 of an ordinary account: reservations in the topology are shares of it."""

MAX_BODY_BYTES = 10 * 1024 * 1024
"""An HTTP API refuses larger bodies with 413 before any function sees them."""
