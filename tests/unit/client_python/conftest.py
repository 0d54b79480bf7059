from tests.unit.ingest.conftest import ingest

__all__ = ["ingest"]
