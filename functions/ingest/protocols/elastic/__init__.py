"""Elasticsearch's bulk API: POST or PUT /_bulk (docs/clients/elasticsearch.md)."""

from functions.ingest.protocols.elastic.protocol import PROTOCOL

__all__ = ["PROTOCOL"]
