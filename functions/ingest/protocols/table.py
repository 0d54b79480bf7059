"""Which protocol reads a request: by its route, as the topology says."""

from collections.abc import Mapping
from importlib import import_module

from functions.ingest.protocols import json, ndjson
from functions.ingest.protocols.contract import IngestProtocol, LogRequest

OWN = (ndjson.PROTOCOL, json.PROTOCOL)
"""What reads a route that names no protocol: our own API."""


class ProtocolTable:
    """Finds the protocol of a request. A module is imported at the first request to one of its routes.

    Parameters
    ----------
    modules: route -> names of modules of functions.ingest.protocols. The first that reads the request gets
        it; the last one also gets what no other reads.
    """

    def __init__(self, modules: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._modules = modules or {}
        self._loaded: dict[str, tuple[IngestProtocol, ...]] = {}

    @classmethod
    def parse(cls, setting: str) -> "ProtocolTable":
        """The table in a setting: `<method> <path> <module> …`, entries separated by `;`."""
        entries = [entry.split() for entry in setting.split(";")]
        return cls({f"{method} {path}": tuple(names) for method, path, *names in entries})

    def of(self, request: LogRequest) -> IngestProtocol:
        protocols = self._loaded.get(request.route) or self._load(request.route)
        for protocol in protocols:
            if protocol.reads(request):
                return protocol
        return protocols[-1]

    def _load(self, route: str) -> tuple[IngestProtocol, ...]:
        names = self._modules.get(route, ())
        modules = [import_module(f"functions.ingest.protocols.{name}") for name in names]
        self._loaded[route] = tuple(module.PROTOCOL for module in modules) or OWN
        return self._loaded[route]
