"""The staging bucket through obstore, which costs a cold start 25 ms where boto3 costs 450."""

import os
from datetime import timedelta

from obstore.store import S3Store

REQUEST_TIMEOUT_SECONDS = 5
RETRY_TIMEOUT_SECONDS = 4
MAX_RETRIES = 2
"""Bounded so that ingest can say 503 while its caller still listens."""


def open_store(bucket: str) -> S3Store:
    """The bucket of that name; region, endpoint and credentials are those of the environment."""
    return S3Store(
        bucket,
        client_options={
            "timeout": f"{REQUEST_TIMEOUT_SECONDS}s",
            "connect_timeout": "2s",
            # obstore reads this variable only where no client options are given.
            "allow_http": os.environ.get("AWS_ALLOW_HTTP") == "true",
        },
        retry_config={
            "max_retries": MAX_RETRIES,
            "retry_timeout": timedelta(seconds=RETRY_TIMEOUT_SECONDS),
        },
    )
