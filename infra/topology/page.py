"""The dashboard's page: one HTML file and its assets, beside the API on the same origin."""

PAGE_HEADERS = {
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Headers of the page and its files."""

ASSETS = "assets/"
"""The folder of files whose names hold a hash of their content."""

ASSET_CACHE = "public, max-age=31536000, immutable"
PAGE_CACHE = "no-cache"
"""`cache-control` of files in ASSETS and of all others."""
