"""What every function runs on, and what the HTTP API in front of them lets through."""

PYTHON = "python3.13"
ARCHITECTURE = "arm64"

METRICS_NAMESPACE = "AstraLog"

HTTP_TIMEOUT_SECONDS = 29
"""An HTTP API cuts an answer off at 30 s."""

MAX_BODY_BYTES = 10 * 1024 * 1024
"""An HTTP API refuses larger bodies with 413 before any function sees them."""
