"""Our own drop bucket."""

from functions.shared.aws_client import s3_client
from functions.shared.buckets.drop_bucket import DropBucket

READ_SECONDS = 10


def open_drops(name: str) -> DropBucket:
    """Open the bucket `name`; region, endpoint and credentials come from the environment."""
    return DropBucket(s3_client(READ_SECONDS), name)
