"""The local user pool: its names and ids, and its creation.

Its ids are derived from its names (local.cognito does that), so every function's environment can hold them
before the pool exists, and they stay the same when the `aws` child restarts.
"""

import hashlib
from typing import Any

from local.naming import REGION, physical

POOL_NAME = physical("people")
CLIENT_NAME = physical("sign-in")
MIN_PASSWORD_CHARACTERS = 12
ACCESS_TOKEN_HOURS = 1
REFRESH_TOKEN_DAYS = 30


def pool_id(name: str = POOL_NAME) -> str:
    """The id of the pool of that name, in the real form: `us-east-1_` and nine characters."""
    return f"{REGION}_{hashlib.sha256(name.encode()).hexdigest()[:9]}"


def client_id(name: str = CLIENT_NAME, pool: str | None = None) -> str:
    """The id of the client of that name in the pool of that id: 26 characters."""
    return hashlib.sha256(f"{pool or pool_id()}/{name}".encode()).hexdigest()[:26]


def issuer(pool: str | None = None) -> str:
    """The `iss` that moto writes, in the real form: it names no machine."""
    return f"https://cognito-idp.{REGION}.amazonaws.com/{pool or pool_id()}"


def keys_url(aws_endpoint: str, pool: str | None = None) -> str:
    """URL of the keys that verify its tokens."""
    return f"{aws_endpoint}/{pool or pool_id()}/.well-known/jwks.json"


def named(aws_endpoint: str) -> dict[str, str]:
    """The values of `identity:<name>` in the topology's settings on this machine."""
    return {
        "pool": pool_id(),
        "client": client_id(),
        "issuer": issuer(),
        "keys_url": keys_url(aws_endpoint),
    }


def provision_identity(
    cognito: Any, pool_name: str = POOL_NAME, client_name: str = CLIENT_NAME
) -> tuple[str, str, str, str]:
    """Create the pool and its client as infra/user_pool.py does. Idempotent.

    Returns pool id, client id, issuer and the URL of the keys.
    """
    pool = pool_id(pool_name)
    if pool not in {each["Id"] for each in cognito.list_user_pools(MaxResults=60)["UserPools"]}:
        made = cognito.create_user_pool(**_pool(pool_name))["UserPool"]["Id"]
        if made != pool:
            raise RuntimeError("this Cognito does not name pools as local.cognito does")
        cognito.create_user_pool_client(UserPoolId=pool, **_client(client_name))
    return pool, client_id(client_name, pool), issuer(pool), keys_url(cognito.meta.endpoint_url, pool)


def _pool(name: str) -> dict[str, Any]:
    return {
        "PoolName": name,
        "UsernameAttributes": ["email"],
        "UsernameConfiguration": {"CaseSensitive": False},
        "AutoVerifiedAttributes": ["email"],
        "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
        "AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]},
        "Policies": {
            "PasswordPolicy": {
                "MinimumLength": MIN_PASSWORD_CHARACTERS,
                "RequireUppercase": False,
                "RequireLowercase": False,
                "RequireNumbers": False,
                "RequireSymbols": False,
            }
        },
    }


def _client(name: str) -> dict[str, Any]:
    return {
        "ClientName": name,
        "GenerateSecret": True,
        "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        "PreventUserExistenceErrors": "ENABLED",
        "EnableTokenRevocation": True,
        "AccessTokenValidity": ACCESS_TOKEN_HOURS,
        "IdTokenValidity": ACCESS_TOKEN_HOURS,
        "RefreshTokenValidity": REFRESH_TOKEN_DAYS,
        "TokenValidityUnits": {"AccessToken": "hours", "IdToken": "hours", "RefreshToken": "days"},
    }
