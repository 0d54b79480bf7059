"""Loki's push API: POST /loki/api/v1/push, in protobuf or JSON (docs/clients/loki.md)."""

from functions.ingest.protocols.loki.protocol import PROTOCOL

__all__ = ["PROTOCOL"]
