"""Explain why a customer's bucket rejects a call: from S3's error code to a sentence. Pure."""

from functions.destinations.steps import StepFailedError
from functions.shared.buckets.contract import BucketError, BucketRefusedError

_CREDENTIALS = {
    "InvalidAccessKeyId": (
        "The service does not know this access key id.",
        "Check bucket.access_key_id, and that the key is active and belongs to this service.",
    ),
    "SignatureDoesNotMatch": (
        "The signature does not match.",
        "Check bucket.secret_access_key: it is not the secret of this access key id.",
    ),
    "ExpiredToken": (
        "The key has expired.",
        "Use the access key of an IAM user: temporary credentials expire.",
    ),
    "InvalidToken": (
        "The key needs a session token.",
        "Use the access key of an IAM user: temporary credentials, which begin with ASIA, are not accepted.",
    ),
    "RequestTimeTooSkewed": (
        "The service's clock differs from ours by more than 15 minutes.",
        "Correct the clock of the service.",
    ),
    "NoSuchBucket": (
        "There is no bucket of that name.",
        "Create the bucket, or check bucket.name and whether the endpoint is the right account's.",
    ),
    "InvalidBucketName": ("The service rejects the bucket's name.", "Check bucket.name."),
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
        "The service does not support a call that we need.",
        "Use a service that supports conditional writes (If-None-Match) and ListObjectsV2.",
    ),
    "MethodNotAllowed": (
        "The service does not support this call.",
        "Check that bucket.endpoint is the address of the S3 API, not of a website or console.",
    ),
    "KMS.DisabledException": ("The bucket's KMS key is disabled.", "Enable the KMS key."),
    "KMS.NotFoundException": ("The bucket's KMS key does not exist.", "Set another default encryption."),
    "QuotaExceeded": ("The bucket is full.", "Raise the bucket's quota."),
    "AllAccessDisabled": ("The bucket is blocked.", "Ask the operator of the service for the reason."),
}

_BY_CODE = {**_CREDENTIALS, **_REGIONS, **_STATES}
_DENIED = frozenset({"AccessDenied", "AllAccessDenied", "403", "Forbidden", "UnauthorizedAccess"})
_NO_REPLY = ("Timeout", "ConnectionClosed", "IncompleteRead")


def bucket_failure(
    fault: BucketError, action: str, resource: str, *, by_role: bool = False
) -> StepFailedError:
    """The failure to report when S3 rejects `action` (`s3:PutObject`) on `resource` of a policy.

    `by_role`: the bucket is opened with a role, not with an access key.
    """
    holder, owner = ("role", "role's") if by_role else ("access key", "user's")
    if known := _BY_CODE.get(fault.reason):
        return StepFailedError(*known)
    if fault.reason in _DENIED:
        return StepFailedError(
            f"The {holder} has no permission for {action}.",
            f"Allow {action} on {resource} in the {owner} policy and the bucket policy. An encrypted bucket"
            " also needs kms:GenerateDataKey and kms:Decrypt on its key.",
            # A key without the right to list is valid: its other rights can still be tested.
            blocks=action != "s3:ListBucket",
        )
    if isinstance(fault, BucketRefusedError):
        return StepFailedError(
            f"The service rejects {action} ({fault.reason}).",
            "Look up the code in the S3 error documentation of the service.",
        )
    if any(word in fault.reason for word in _NO_REPLY):
        return StepFailedError(
            "The service does not answer in time.",
            "Check that the service is running and not overloaded, then test again.",
        )
    return StepFailedError(
        f"The service cannot process {action} now ({fault.reason}).", "Wait a minute, then test again."
    )
