"""Notices about data exports and erasures; they never say whom an erasure is about."""

from dataclasses import dataclass

from functions.privacy.erasure.record import ACCOUNT, Erasure
from functions.privacy.export.record import KEPT_DAYS, Export
from functions.privacy.moments import moment


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice. With the same `notice_id` it stays one, however often it is written."""

    notice_id: str
    kind: str
    title: str
    text: str


def asked(erasure: Erasure) -> Letter:
    """An erasure was requested."""
    if erasure.kind == ACCOUNT:
        return Letter(
            f"{erasure.erasure_id}-asked",
            "account_closing",
            "Your AstraLog account will be deleted",
            "Somebody with access to your account asked for all of it to be erased. This begins on "
            f"{moment(erasure.starts_at)}; from now on the account takes no logs. If it was not you, or you "
            f"think otherwise, take it back before then with DELETE /v1/erasures/{erasure.erasure_id}, and "
            "revoke the keys that you do not know. Keep this id: once the account is gone it is all that "
            f"shows what became of it, at GET /v1/erasures/{erasure.erasure_id}, which then needs no key.",
        )
    return Letter(
        f"{erasure.erasure_id}-asked",
        "erasure_requested",
        "Logs of a person will be erased",
        "Somebody with access to your account asked for the logs of one person to be erased for good. "
        f"GET /v1/erasures/{erasure.erasure_id} says how far that is.",
    )


def cancelled(erasure: Erasure) -> Letter:
    """The erasure of the account was cancelled."""
    return Letter(
        f"{erasure.erasure_id}-cancelled",
        "account_kept",
        "Your AstraLog account stays",
        "The deletion of your account was taken back. It takes logs again, and nothing of it was removed.",
    )


def verified(erasure: Erasure) -> Letter:
    """The rows of a person are erased."""
    return Letter(
        f"{erasure.erasure_id}-verified",
        "erasure_verified",
        "The logs of a person are erased",
        "What was asked for is done: nothing is left of those logs, and that was verified. The receipt is at "
        f"GET /v1/erasures/{erasure.erasure_id}.",
    )


def copy_asked(export: Export) -> Letter:
    """An export was requested: an owner who did not request it has to know."""
    return Letter(
        f"{export.export_id}-asked",
        "export_requested",
        "A copy of your account's data is being made",
        "Somebody with access to your account asked for a copy of all that we hold of it. If it was not you, "
        "revoke the keys that you do not know and change your password.",
    )


def copy_ready(export: Export) -> Letter:
    return Letter(
        f"{export.export_id}-ready",
        "export_ready",
        "The copy of your account's data is ready",
        f"GET /v1/account/exports/{export.export_id} answers with a link to it, a new one each time. The "
        f"copy is kept for {KEPT_DAYS} days.",
    )
