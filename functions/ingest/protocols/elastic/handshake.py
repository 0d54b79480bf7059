"""What clients ask of a cluster before they send to it: a version, a licence, templates, policies.

Whatever a client would set up is answered as existing, because there is nothing to set up.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from functions.ingest.protocols.contract import LogRequest
from functions.shared.http import Answer

VERSION = "9.9.0"
"""Clients want a server that is not older than they are; nothing newer of version 9 is published."""

PRODUCT = {"x-elastic-product": "Elasticsearch"}
"""Without it a client ends with an error, whatever the answer says."""

_CLIENTS = re.compile("elastic|opensearch|beat|logstash", re.IGNORECASE)
_READS, _WRITES = frozenset({"GET", "HEAD"}), frozenset({"PUT", "POST"})
_MAINTENANCE = frozenset({"_refresh", "_flush"})
"""Some clients ask for these when they end, with GET or POST."""

_PORT = 443
_NAME = "astralog"


def answer_in_json(status: int, body: Mapping[str, Any] | str, **headers: str) -> Answer:
    """An answer as a cluster gives it; a text is JSON already."""
    text = body if isinstance(body, str) else json.dumps(body)
    named = {"content-type": "application/json", **PRODUCT, **headers}
    return {"statusCode": status, "headers": named, "body": text}


def cluster() -> Answer:
    """GET /: what answers here."""
    version = {
        "number": VERSION,
        "build_flavor": "default",
        "build_type": "docker",
        "build_hash": "0" * 40,
        "build_date": "2026-11-29T00:00:00Z",
        "build_snapshot": False,
        "lucene_version": "10.3.0",
        "minimum_wire_compatibility_version": "8.19.0",
        "minimum_index_compatibility_version": "8.0.0",
    }
    names = {"name": _NAME, "cluster_name": _NAME, "cluster_uuid": "AstraLog-Cloud-0000000"}
    return answer_in_json(200, {**names, "version": version, "tagline": "You Know, for Search"})


def known(request: LogRequest) -> Answer | None:
    """The answer to a request without a route; None when it is from no client of Elasticsearch."""
    segments = tuple(request.path.strip("/").split("/"))
    is_reserved = any(segment.startswith("_") for segment in segments)
    if not is_reserved and not _is_from_client(request):
        return None
    if segments[-1] in _MAINTENANCE and request.method in _READS | _WRITES:
        answer: Answer | None = answer_in_json(200, {"_shards": {"total": 1, "successful": 1, "failed": 0}})
    elif request.method in _READS:
        answer = _read(segments, request)
    elif request.method in _WRITES:
        answer = _write(segments)
    else:
        answer = None
    return answer or _not_here()


def _is_from_client(request: LogRequest) -> bool:
    headers = request.headers
    is_named = bool(_CLIENTS.search(headers.get("user-agent", "")))
    return is_named or "x-elastic-client-meta" in headers or "vnd.elasticsearch" in headers.get("accept", "")


def _read(segments: tuple[str, ...], request: LogRequest) -> Answer | None:
    fixed = _FIXED.get(segments) or _FIXED.get(segments[:2])
    if fixed:
        return answer_in_json(200, fixed)
    if segments[:2] == ("_nodes", "http"):
        return answer_in_json(200, _nodes(request))
    for prefix, existing in _EXISTING.items():
        if segments[:-1] == prefix:
            return answer_in_json(200, existing(segments[-1]))
    is_index = len(segments) == 1 and not segments[0].startswith("_")
    return answer_in_json(200, {segments[0]: {"aliases": {}, "mappings": {}}}) if is_index else None


def _write(segments: tuple[str, ...]) -> Answer | None:
    """Something is to be set up: it is there already."""
    acknowledged = {"acknowledged": True, "shards_acknowledged": True, "index": segments[0]}
    if segments[:-1] in _EXISTING or (len(segments) == 1 and not segments[0].startswith("_")):
        return answer_in_json(200, acknowledged)
    return None


def _not_here() -> Answer:
    reason = "AstraLog has Elasticsearch's bulk API only: send logs to PUT or POST /_bulk."
    error = {"type": "resource_not_found_exception", "reason": reason}
    return answer_in_json(404, {"error": {"root_cause": [error], **error}, "status": 404})


def _nodes(request: LogRequest) -> dict[str, Any]:
    """One node, at the address of this request: a client that looks for nodes finds the way it came."""
    host = request.headers.get("host", "")
    address = host if ":" in host else f"{host}:{_PORT}"
    node = {
        "name": _NAME,
        "version": VERSION,
        "roles": ["ingest"],
        "http": {"publish_address": address, "bound_address": [address]},
    }
    counts = {"total": 1, "successful": 1, "failed": 0}
    return {"_nodes": counts, "cluster_name": _NAME, "nodes": {_NAME: node}}


_LICENSE = {"status": "active", "type": "basic", "uid": "00000000-0000-0000-0000-000000000000"}
_FEATURE = {"available": True, "enabled": True}

_FIXED: Mapping[tuple[str, ...], Mapping[str, Any]] = {
    ("_license",): {"license": _LICENSE},
    ("_xpack",): {
        "license": {**_LICENSE, "mode": "basic"},
        "features": {"ilm": _FEATURE, "data_streams": _FEATURE},
        "tagline": "You know, for X",
    },
    ("_cluster", "health"): {
        "cluster_name": _NAME,
        "status": "green",
        "timed_out": False,
        "number_of_nodes": 1,
        "number_of_data_nodes": 1,
    },
    ("_cat", "health"): {"cluster": _NAME, "status": "green"},
}

_EXISTING: Mapping[tuple[str, ...], Callable[[str], dict[str, Any]]] = {
    ("_index_template",): lambda name: {
        "index_templates": [{"name": name, "index_template": {"index_patterns": ["*"], "data_stream": {}}}]
    },
    ("_component_template",): lambda name: {
        "component_templates": [{"name": name, "component_template": {"template": {}}}]
    },
    ("_template",): lambda name: {name: {"index_patterns": ["*"]}},
    ("_ilm", "policy"): lambda name: {name: {"version": 1, "policy": {"phases": {}}}},
    ("_data_stream",): lambda name: {
        "data_streams": [{"name": name, "timestamp_field": {"name": "@timestamp"}, "indices": []}]
    },
    ("_ingest", "pipeline"): lambda name: {name: {"processors": []}},
    ("_alias",): lambda name: {name: {"aliases": {name: {}}}},
    ("_plugins", "_ism", "policies"): lambda name: {"_id": name, "policy": {"policy_id": name}},
}
"""Where things are that clients set up -> what is said of one of them."""
