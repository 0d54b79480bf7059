"""Data exports and erasures as the API returns them."""

from dataclasses import asdict
from typing import Any

from functions.privacy.erasure.receipt import ErasureReceipt
from functions.privacy.erasure.receipt_table import ErasureStatus
from functions.privacy.erasure.record import ACCOUNT, REQUESTED, Erasure
from functions.privacy.export.record import READY, Export
from functions.privacy.timestamps import to_rfc3339
from functions.shared.exports.archives import LINK_SECONDS


def export_response(export: Export, now: float, link: str | None = None) -> dict[str, Any]:
    """`link`: a link that was created for this answer."""
    gone = export.gone_at is not None and export.gone_at <= now
    fields: dict[str, Any] = {
        "id": export.export_id,
        "state": "expired" if gone else export.state,
        "requested_at": to_rfc3339(export.requested_at),
        "logs": _logs(export),
        "ready_at": _timestamp(export.ready_at),
        "bytes": export.bytes if export.state == READY else None,
        "expires_at": _timestamp(export.gone_at),
    }
    if link:
        fields |= {"url": link, "url_expires_at": to_rfc3339(now + LINK_SECONDS)}
    return fields


def erasure_response(erasure: Erasure, status: ErasureStatus | None) -> dict[str, Any]:
    """For its own account. The subject is deleted once the erasure is verified."""
    subject = erasure.subject
    cancellable = erasure.kind == ACCOUNT and erasure.state == REQUESTED
    receipt = status.receipt if status else None
    return {
        "id": erasure.erasure_id,
        "kind": erasure.kind,
        "state": erasure.state,
        "field": subject.field if subject else None,
        "value": subject.value if subject else None,
        "requested_at": to_rfc3339(erasure.requested_at),
        "starts_at": to_rfc3339(erasure.starts_at),
        "cancellable_until": to_rfc3339(erasure.starts_at) if cancellable else None,
        "due_by": to_rfc3339(erasure.due_at),
        "cancelled_at": _timestamp(erasure.cancelled_at),
        "verified_at": _timestamp(erasure.verified_at),
        "waits_for": sorted({*erasure.progress.left.values(), *erasure.progress.waits_for.values()}),
        "receipt": _receipt(receipt),
    }


def status_response(erasure_id: str, status: ErasureStatus) -> dict[str, Any]:
    """For any caller with the id: nothing about whom or what it concerns."""
    return {
        "id": erasure_id,
        "kind": status.kind,
        "state": status.state,
        "requested_at": to_rfc3339(status.requested_at),
        "starts_at": to_rfc3339(status.starts_at),
        "due_by": to_rfc3339(status.due_at),
        "receipt": _receipt(status.receipt),
    }


def _receipt(receipt: ErasureReceipt | None) -> dict[str, Any] | None:
    return None if receipt is None else {**asdict(receipt), "hash": receipt.hash}


def _logs(export: Export) -> dict[str, str] | None:
    if export.logs_from is None or export.logs_to is None:
        return None
    return {"from": to_rfc3339(export.logs_from), "to": to_rfc3339(export.logs_to)}


def _timestamp(seconds: int | None) -> str | None:
    return None if seconds is None else to_rfc3339(seconds)
