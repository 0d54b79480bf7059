"""The environment in which boto3 finds an account and a region: of nobody, for moto and for signatures."""

import pytest

REGION = "us-east-1"


def set_aws_environment(patch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "tests")
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        patch.setenv(name, REGION)
