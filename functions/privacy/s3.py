"""boto3's client for S3, for what obstore does not do: uploads that outlive a process, links, odd keys."""

from typing import Any


def open_s3() -> Any:
    """SSE-KMS takes links of Signature Version 4 only. A part of some megabytes may take a while."""
    import boto3
    from botocore.config import Config

    patience = {"mode": "standard", "total_max_attempts": 3}
    return boto3.client(
        "s3",
        config=Config(signature_version="s3v4", connect_timeout=2, read_timeout=30, retries=patience),
    )
