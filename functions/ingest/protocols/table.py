"""Which protocol reads a request: by its route, as the topology says."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import cast

from functions.ingest.protocols import json, ndjson
from functions.ingest.protocols.contract import IngestProtocol, LogRequest

OWN = ("ndjson", "json")
"""What reads a route that names no protocol, and forms the errors of unmatched routes: our own API."""

_LOADED = {"ndjson": ndjson.PROTOCOL, "json": json.PROTOCOL}


class ProtocolTable:
    """Finds the protocol of a request. A module is imported at the first request to one of its routes.

    Parameters
    ----------
    modules: route -> names of modules of functions.ingest.protocols. Each is asked whether it reads the
        request; the last one gets what the others do not read.
    """

    def __init__(self, modules: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._modules = modules or {}

    @classmethod
    def parse(cls, setting: str) -> "ProtocolTable":
        """The table in a setting: `<method> <path> <module> …`, entries separated by `;`."""
        entries = [entry.split() for entry in setting.split(";")]
        return cls({f"{method} {path}": tuple(names) for method, path, *names in entries})

    def of(self, request: LogRequest) -> IngestProtocol:
        *others, last = self._modules.get(request.route, OWN)
        for name in others:
            protocol = _protocol(name)
            if protocol.reads(request):
                return protocol
        return _protocol(last)


@cache
def _protocol(name: str) -> IngestProtocol:
    if name in _LOADED:
        return _LOADED[name]
    return cast("IngestProtocol", import_module(f"functions.ingest.protocols.{name}").PROTOCOL)
