"""What the value of a setting may stand for: a resource, a service, or what an operator chooses."""

STANDING_FOR = frozenset({"bucket", "table", "queue", "secret", "key", "identity", "mail", "service"})
"""Kinds of what a setting `kind:name` stands for; any other value stands for itself."""

SERVICES = {"stripe": "https://api.stripe.com"}
"""What a setting `service:<name>` stands for once deployed, beside API."""

API = "service:api"
"""Stands for the address of our own API."""

MAIL_FROM = "no-reply@astralog.example"
"""Stands for the address that an installation chooses (`-c mail_from=…`) and has verified with SES."""

DASHBOARD = "https://app.astralog.example"
"""Stands for where an installation's dashboard is (`-c dashboard_address=…`)."""
