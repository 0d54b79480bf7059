"""Notices about data exports and erasures; they never say whom an erasure is about."""

from dataclasses import dataclass

from functions.privacy.erasure.record import ACCOUNT, Erasure
from functions.privacy.export.record import KEPT_DAYS, Export
from functions.privacy.timestamps import to_rfc3339
from functions.shared.accounts.notice_links import docs_link, page_link


@dataclass(frozen=True, slots=True)
class PrivacyNotice:
    """A notice. With the same `notice_id` it stays one, however often it is written."""

    notice_id: str
    kind: str
    title: str
    text: str


def erasure_requested(erasure: Erasure) -> PrivacyNotice:
    """An erasure was requested."""
    if erasure.kind == ACCOUNT:
        return PrivacyNotice(
            f"{erasure.erasure_id}-asked",
            "account_closing",
            "Your AstraLog account will be deleted",
            "A user or an API key of your account requested the deletion of the account and all of its logs. "
            f"The deletion begins on {to_rfc3339(erasure.starts_at)}. From now on the account accepts no "
            f"logs. To keep the account, cancel the erasure {erasure.erasure_id} before then "
            f"({docs_link('privacy.md', 'cancel-the-erasure-of-an-account')}). If you did not request the "
            "deletion, also revoke the keys that you do not know. Keep this link: it shows the status and "
            "the receipt without signing in, also once the account is deleted: "
            f"{_status_link(erasure)}",
        )
    return PrivacyNotice(
        f"{erasure.erasure_id}-asked",
        "erasure_requested",
        "Logs of a person will be erased",
        "A user or an API key of your account requested the permanent erasure of one person's logs. "
        f"This link shows the status: {_status_link(erasure)}",
    )


def erasure_cancelled(erasure: Erasure) -> PrivacyNotice:
    """The erasure of the account was cancelled."""
    return PrivacyNotice(
        f"{erasure.erasure_id}-cancelled",
        "account_kept",
        "Your AstraLog account stays",
        "The deletion of your account was cancelled. The account accepts logs again. No data was removed.",
    )


def erasure_verified(erasure: Erasure) -> PrivacyNotice:
    """The rows of a person are erased."""
    return PrivacyNotice(
        f"{erasure.erasure_id}-verified",
        "erasure_verified",
        "The logs of a person are erased",
        "The requested erasure is complete. A final check found none of the person's logs. This link "
        f"shows the receipt: {_status_link(erasure)}",
    )


def export_requested(export: Export) -> PrivacyNotice:
    """An export was requested: an owner who did not request it has to know."""
    return PrivacyNotice(
        f"{export.export_id}-asked",
        "export_requested",
        "A data export of your account was requested",
        "A user or an API key of your account requested an export of all data that we store of the account. "
        "If you did not request it, revoke the keys that you do not know and change your password.",
    )


def export_ready(export: Export) -> PrivacyNotice:
    return PrivacyNotice(
        f"{export.export_id}-ready",
        "export_ready",
        "Your data export is ready",
        f"The export {export.export_id} is ready. To download it, request a link "
        f"({docs_link('privacy.md', 'download-an-export')}). The export is deleted after {KEPT_DAYS} days.",
    )


def export_failed(export: Export) -> PrivacyNotice:
    """An export was abandoned."""
    return PrivacyNotice(
        f"{export.export_id}-failed",
        "export_failed",
        "Your data export failed",
        f"The export {export.export_id} could not be completed, and we stopped trying. This is our fault, "
        "and our operators are notified. Request a new export "
        f"({docs_link('privacy.md', 'data-export')}); for logs, a shorter period may succeed.",
    )


def _status_link(erasure: Erasure) -> str:
    return page_link(f"/erasures/{erasure.erasure_id}")
