"""The sets of choices whose templates are audited: none, and all at once."""

DEFAULTS: dict[str, str] = {}

EVERYTHING = {
    "alarm_email": "ops@example.org",
    "lambda_concurrency": "1000",
    "function_alarms": "each",
    "customers_accounts": "111122223333",
    "domain": "logs.example.org",
    "certificate_arn": "arn:aws:acm:us-east-1:111122223333:certificate/1",
    "edge_secret_sha256": "0" * 64,
    "web_acl_arn": "arn:aws:wafv2:us-east-1:111122223333:global/webacl/astralog/1",
    "firewall": "true",
    "network": "true",
}

CHOSEN = {"defaults": DEFAULTS, "everything": EVERYTHING}
"""Name of the set -> context of the CDK app."""
