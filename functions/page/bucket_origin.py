"""The origin of a bucket's presigned URLs, for the page's content security policy."""

import os


def bucket_origin(bucket: str) -> str:
    """The origin of URLs that functions.shared.aws_client.s3_client signs for `bucket`; no client is made."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    return endpoint or f"https://{bucket}.s3.{os.environ['AWS_REGION']}.amazonaws.com"
