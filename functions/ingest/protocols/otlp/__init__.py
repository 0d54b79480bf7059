"""OpenTelemetry's logs over HTTP: POST /v1/logs, in protobuf or JSON (docs/clients/opentelemetry.md)."""

from functions.ingest.protocols.otlp.protocol import PROTOCOL

__all__ = ["PROTOCOL"]
