"""Which protocol reads a request: by its route, as the topology says."""

from collections.abc import Mapping
from importlib import import_module

from functions.ingest.protocols import json, ndjson
from functions.ingest.protocols.contract import UNMATCHED, IngestProtocol, LogRequest
from functions.shared.http import Answer

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
        """The table in a setting: `<method> <path> <module> …`, `$default <module> …`, separated by `;`."""
        entries = [entry.split() for entry in setting.split(";")]
        return cls(dict(_entry(words) for words in entries))

    def of(self, request: LogRequest) -> IngestProtocol:
        protocols = self._loaded.get(request.route) or self._load(request.route)
        for protocol in protocols:
            if protocol.reads(request):
                return protocol
        return protocols[-1]

    def handshake(self, request: LogRequest) -> Answer | None:
        """The response to a request without a route: that of the first protocol whose clients send it.

        Such requests bring no logs, and their key is not checked. Paths of health checks and licences are
        many, and each route costs a deployment resources; the default route costs none.
        """
        if UNMATCHED not in self._modules:
            return None
        protocols = self._loaded.get(UNMATCHED) or self._load(UNMATCHED)
        answers = (protocol.handshake(request) for protocol in protocols)
        return next((answer for answer in answers if answer is not None), None)

    def _load(self, route: str) -> tuple[IngestProtocol, ...]:
        names = self._modules.get(route, ())
        modules = [import_module(f"functions.ingest.protocols.{name}") for name in names]
        self._loaded[route] = tuple(module.PROTOCOL for module in modules) or OWN
        return self._loaded[route]


def _entry(words: list[str]) -> tuple[str, tuple[str, ...]]:
    route_words = 1 if words[0] == UNMATCHED else 2
    return " ".join(words[:route_words]), tuple(words[route_words:])
