"""Our own drop bucket, over boto3."""

import os
from typing import Any

from functions.shared.buckets.drops import DropBucket

CONNECT_SECONDS, READ_SECONDS = 2, 10


def open_drops(name: str) -> DropBucket:
    """The bucket of that name; region, endpoint and credentials are those of the environment."""
    return DropBucket(_client(), name)


def _client() -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        config=Config(
            signature_version="s3v4",  # the only one that signs headers of a URL
            # Unless told so, boto3 makes URLs without a region, which do not lead into all of them.
            s3={
                "addressing_style": "path" if os.environ.get("AWS_ENDPOINT_URL") else "virtual",
                "us_east_1_regional_endpoint": "regional",
            },
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )
