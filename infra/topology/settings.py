"""What a setting may refer to: a resource, a service, or an operator's choice."""

REFERENCE_KINDS = frozenset({"bucket", "table", "queue", "secret", "key", "identity", "mail", "service"})
"""Kinds of reference in a setting `kind:name`; any other value is plain."""

SERVICES = {"stripe": "https://api.stripe.com"}
"""URL of each `service:<name>` once deployed, beside API."""

API = "service:api"
"""Refers to the URL of our own API."""

MAIL_FROM = "no-reply@astralog.example"
"""Refers to the address that an installation chooses (`-c mail_from=…`) and has verified with SES."""

DOCS = "https://docs.astralog.example"
"""Refers to the URL under which an installation publishes the pages of `docs/` (`-c docs_address=…`)."""
