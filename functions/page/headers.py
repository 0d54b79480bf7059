"""Headers of the dashboard's page and of its files: nothing is loaded from another origin, nothing inline."""


def content_security_policy(uploads: str = "") -> str:
    """The policy of the page.

    Parameters
    ----------
    uploads: origin of the one bucket that the page puts files into; empty for none. The bucket of a BYOC
        account is in no policy: its files are put by the customer's own tools.
    """
    connect = f"connect-src 'self' {uploads}".strip()
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            connect,
            "img-src 'self' data:",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


PAGE_HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Headers of the page and its files, beside the policy."""

ASSET_CACHE = "public, max-age=31536000, immutable"
"""`cache-control` of files whose names have a hash of their content."""

PAGE_CACHE = "no-cache"
"""`cache-control` of the other files: a browser asks each time whether it has the current one."""
