"""What hundreds of tests on moto would otherwise repeat: parsing AWS's models, creating our tables."""

from copy import deepcopy
from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader
from botocore.useragent import UserAgentComponent


def read_models_once() -> None:
    """Let all botocore sessions of this process share the models they read, which none of them changes.

    moto begins each of its blocks with a new session, and a session parses the models of its services anew.
    """
    load = JSONFileLoader.load_file

    @cache
    def loaded(path: str) -> Any:
        return load(JSONFileLoader(), path)

    JSONFileLoader.load_file = lambda _self, path: loaded(path)  # type: ignore[method-assign]


def format_user_agents_once() -> None:
    """Let botocore remember the parts of its User-Agent header, which it cleans twice for each request."""
    UserAgentComponent.to_string = cache(UserAgentComponent.to_string)  # type: ignore[method-assign]


_created: dict[str, Any] = {}
"""The empty tables as moto keeps them, by name."""


def create_tables(dynamodb: Any) -> None:
    """Create every table of the topology, under its own name, in the mocked DynamoDB of `dynamodb`.

    The first call of a process creates them by the API; later ones copy those, in a fiftieth of the time.
    """
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.dynamodb.models import dynamodb_backends

    from infra.topology import TABLES
    from local.tables import definition

    tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][dynamodb.meta.region_name].tables
    if not _created:
        for table in TABLES:
            dynamodb.create_table(**definition(table, table.name))
        _created.update(deepcopy({table.name: tables[table.name] for table in TABLES}))
    else:
        tables.update(deepcopy(_created))
