"""Explain why a customer's role cannot be assumed: from STS's error code to a sentence. Pure."""

from functions.destinations.steps import StepFailedError

ROUTE = "GET /v1/destination/role"

_BY_CODE = {
    "ValidationError": (
        "AWS does not accept the ARN of the role.",
        "Copy bucket.role_arn from the role's page in the IAM console, or from `aws iam get-role`.",
    ),
    "RegionDisabledException": (
        "AWS STS is not active in our region for your account.",
        "Activate the region's STS endpoint: IAM console, Account settings, Security Token Service.",
    ),
}

STS_UNAVAILABLE = (
    "AWS STS does not answer, or rejects our own request.",
    "Wait a minute, then test again. If it fails again, notify the operator.",
)

TRUSTS_ANY = (
    "The role's trust policy accepts any external id, so other customers could have us assume your role.",
    f"Add the condition StringEquals with sts:ExternalId to the trust policy: {ROUTE} shows it.",
)


def role_failure(code: str, account: str, external_id: str) -> StepFailedError:
    """The failure to report when STS refuses a session with this error code.

    STS does not say why it denies a call, or whether a role exists: the fix lists all causes.
    """
    if known := _BY_CODE.get(code):
        return StepFailedError(*known)
    return StepFailedError(
        "AWS does not let us assume the role.",
        "Check that a role with exactly this ARN exists; that its trust policy allows sts:AssumeRole to "
        f"account {account} with the external id {external_id} ({ROUTE} shows the policy); that the trust "
        "policy asks for no MFA, source address or tags, and no policy of your organization denies the call. "
        "A new role or policy works after a few seconds.",
    )
