"""An account and a region for boto3 to find: neither exists, for moto and for signatures."""

import pytest

REGION = "us-east-1"


def set_aws_environment(patch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "tests")
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        patch.setenv(name, REGION)
