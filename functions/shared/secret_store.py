"""The platform's own secrets, read from Secrets Manager only here."""

import boto3


def read_secret(name: str) -> str:
    """The current value of the secret `name`; never cached here, never logged."""
    value: str = boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    return value
