"""Secrets Manager: the one place the platform's own secrets are read from."""

import boto3


def read_secret(name: str) -> str:
    """The current value of the secret called `name`; never cached here, never logged."""
    value: str = boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    return value
