"""Region, credentials and endpoint of AWS: found once, then set for every client of this process."""

import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, NoCredentialsError

from operate.errors import OperatorError

NO_REGION = "No AWS region is set. Add --region, set AWS_REGION, or choose a profile that has a region."
NO_CREDENTIALS = (
    "No AWS credentials were found. Sign in as for the AWS CLI, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY."
)


def open_client(service: str) -> Any:
    """A boto3 client that waits longer than those of functions, whose callers wait."""
    return boto3.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 5}))


def use_aws(region: str | None, endpoint_url: str | None) -> str:
    """Set the AWS variables of this process and return the region.

    boto3 finds credentials in profiles and sign-ins of the AWS CLI; obstore and pynamodb read variables only.

    Raises
    ------
    OperatorError: there is no region or there are no credentials.
    """
    if endpoint_url:
        os.environ["AWS_ENDPOINT_URL"] = endpoint_url
    if os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://"):
        os.environ["AWS_ALLOW_HTTP"] = "true"
    try:
        session = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
        found = session.region_name
        credentials = session.get_credentials()
        frozen = credentials and credentials.get_frozen_credentials()
    except NoCredentialsError:
        raise OperatorError(NO_CREDENTIALS) from None
    except BotoCoreError as fault:
        raise OperatorError(f"AWS credentials: {fault}") from None
    if not found:
        raise OperatorError(NO_REGION)
    if not frozen:
        raise OperatorError(NO_CREDENTIALS)
    os.environ.update(AWS_REGION=found, AWS_DEFAULT_REGION=found)
    os.environ.update(AWS_ACCESS_KEY_ID=frozen.access_key, AWS_SECRET_ACCESS_KEY=frozen.secret_key)
    if frozen.token:
        os.environ["AWS_SESSION_TOKEN"] = frozen.token
    return str(found)
