"""Explain why a customer's bucket rejects a call: from S3's error code to a sentence. Pure."""

from functions.destinations.steps import StepFailedError
from functions.shared.buckets.contract import BucketError, BucketRefusedError

_CREDENTIALS = {
    "InvalidAccessKeyId": (
        "The access key id is not known there.",
        "Check bucket.access_key_id, and that the key is active and belongs to this service.",
    ),
    "SignatureDoesNotMatch": (
        "The signature does not match.",
        "Check bucket.secret_access_key: it is not the secret of this access key id.",
    ),
    "ExpiredToken": ("The key has expired.", "Give a key of an IAM user: temporary credentials end."),
    "InvalidToken": (
        "The key needs a session token.",
        "Give a key of an IAM user: temporary credentials, which begin with ASIA, are not taken.",
    ),
    "RequestTimeTooSkewed": (
        "The service's clock differs from ours by more than 15 minutes.",
        "Set the clock of the service.",
    ),
    "NoSuchBucket": (
        "There is no bucket of that name.",
        "Create the bucket, or check bucket.name and whether the endpoint is the right account's.",
    ),
    "InvalidBucketName": ("The service does not take the bucket's name.", "Check bucket.name."),
}

_REGIONS = dict.fromkeys(
    (
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "InvalidLocationConstraint",
        "PermanentRedirect",
        "TemporaryRedirect",
        "301",
        "307",
    ),
    ("The bucket is in another region.", "Set bucket.region to the region that the bucket was created in."),
)

_STATES = {
    "NotImplemented": (
        "The service does not know a call that we need.",
        "Use a service that has conditional writes (If-None-Match) and version 2 of listing objects.",
    ),
    "MethodNotAllowed": (
        "The service does not take this call.",
        "Check that bucket.endpoint is the address of the S3 API itself, not of a website or console.",
    ),
    "KMS.DisabledException": ("The bucket's KMS key is disabled.", "Enable the KMS key."),
    "KMS.NotFoundException": ("The bucket's KMS key is not there.", "Set another default encryption."),
    "QuotaExceeded": ("The bucket is full.", "Raise the bucket's quota."),
    "AllAccessDisabled": ("The bucket is blocked.", "Ask the service's operator why."),
}

_BY_CODE = {**_CREDENTIALS, **_REGIONS, **_STATES}
_DENIED = frozenset({"AccessDenied", "AllAccessDenied", "403", "Forbidden", "UnauthorizedAccess"})
_NO_REPLY = ("Timeout", "ConnectionClosed", "IncompleteRead")


def bucket_failure(fault: BucketError, action: str, resource: str) -> StepFailedError:
    """The failure to report when S3 rejects `action` (`s3:PutObject`) on `resource` of a policy."""
    if known := _BY_CODE.get(fault.reason):
        return StepFailedError(*known)
    if fault.reason in _DENIED:
        return StepFailedError(
            f"The key may not do {action}.",
            f"Allow {action} on {resource} in the user's policy and the bucket's; an encrypted bucket needs"
            " kms:GenerateDataKey and kms:Decrypt on its key as well.",
            # A key without the right to list is valid: its other rights can still be tested.
            blocks=action != "s3:ListBucket",
        )
    if isinstance(fault, BucketRefusedError):
        return StepFailedError(
            f"The service refuses {action} ({fault.reason}).",
            "Look the code up in the service's documentation of S3 errors.",
        )
    if any(word in fault.reason for word in _NO_REPLY):
        return StepFailedError(
            "The service does not answer in time.",
            "Check that the service is up and not overloaded, and test again.",
        )
    return StepFailedError(
        f"The service is not able to do {action} now ({fault.reason}).", "Wait a moment and test again."
    )
