"""What hundreds of tests on moto would otherwise repeat: reading AWS's models, creating our tables."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache, lru_cache
from typing import Any

from botocore import hooks, utils
from botocore.loaders import JSONFileLoader, Loader
from botocore.useragent import UserAgentComponent

HANDLERS_REMEMBERED = 10_000
DATES_REMEMBERED = 100


def read_models_once() -> None:
    """Let all botocore sessions of this process share the models they read, which none of them changes.

    moto begins each of its blocks with a new session. A session parses the models of its services anew, and
    looks into the folder of every service of AWS to find them.
    """
    load = JSONFileLoader.load_file

    @cache
    def loaded(path: str) -> Any:
        return load(JSONFileLoader(), path)

    JSONFileLoader.load_file = lambda _self, path: loaded(path)  # type: ignore[method-assign]
    for name in ("list_available_services", "load_service_model"):
        setattr(Loader, name, _once_for_all_loaders(getattr(Loader, name)))


def _once_for_all_loaders(find: Callable[..., Any]) -> Callable[..., Any]:
    """`find` of a Loader; those that search the same folders find the same."""
    found: dict[Any, Any] = {}

    def find_once(self: Loader, *arguments: str, **named: str | None) -> Any:
        key = tuple(self.search_paths), arguments, tuple(named.items())
        if key not in found:
            found[key] = find(self, *arguments, **named)
        return found[key]

    return find_once


def inspect_handlers_once() -> None:
    """Let botocore remember which functions are handlers of events, and the names that events have today.

    Each session registers a hundred handlers, and each client copies them.
    """
    accepts = lru_cache(HANDLERS_REMEMBERED)(hooks.accepts_kwargs)
    hooks.accepts_kwargs = lambda handler: accepts(getattr(handler, "__func__", handler))
    initialize, names = hooks.EventAliaser.__init__, dict[str, str]()

    def initialized(self: hooks.EventAliaser, emitter: Any, aliases: dict[str, str] | None = None) -> None:
        initialize(self, emitter, aliases)
        if self._event_aliases == hooks.EVENT_ALIASES:
            self._alias_name_cache = names

    hooks.EventAliaser.__init__ = initialized  # type: ignore[method-assign]


def format_user_agents_once() -> None:
    """Let botocore remember the parts of its User-Agent header, which it cleans twice for each request."""
    UserAgentComponent.to_string = cache(UserAgentComponent.to_string)  # type: ignore[method-assign]


def read_dates_once() -> None:
    """Let botocore remember dates it has read: those of headers, most of them of the same second."""
    utils._parse_timestamp_with_tzinfo = lru_cache(DATES_REMEMBERED)(utils._parse_timestamp_with_tzinfo)


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
