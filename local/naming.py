"""Names on this machine for the topology's logical names, and environment variables for AWS clients."""

import os
import sys
from pathlib import Path

LOOPBACK = "127.0.0.1"
ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
PROJECT_ROOT = Path(__file__).resolve().parent.parent

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    # No code here may find the credentials of a real machine or person.
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def physical(name: str) -> str:
    """The name of a bucket, table, queue, secret or function."""
    return f"astralog-local-{name}"


def alias(name: str) -> str:
    """The alias of a KMS key: the service chooses its id."""
    return f"alias/{physical(name)}"


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{physical(name)}"


def topic_arn(name: str) -> str:
    return f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:{physical(name)}"


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{physical(name)}"


def queue_url(name: str, aws_endpoint: str) -> str:
    return f"{aws_endpoint}/{ACCOUNT_ID}/{physical(name)}"


def aws_variables(aws_endpoint: str) -> dict[str, str]:
    """Environment variables that boto3, pynamodb and obstore read, to use this machine as AWS."""
    return {**CREDENTIALS, "AWS_ENDPOINT_URL": aws_endpoint, "AWS_ALLOW_HTTP": "true"}


def child_environment() -> dict[str, str]:
    """The environment of the stack's own processes: the caller's, without AWS variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **CREDENTIALS, "PYTHONPATH": str(PROJECT_ROOT), "PYTHONUNBUFFERED": "1"}


def python_module(module: str, *arguments: str) -> list[str]:
    """The command line that runs `module` with this interpreter."""
    return [sys.executable, "-m", module, *arguments]
