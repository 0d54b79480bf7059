"""The outputs of the data stack: how an operator's command finds the resources of an installation.

A name, once released, stays: scripts of operators use it.
"""

from infra.topology.buckets import BUCKETS
from infra.topology.mail import MAIL_SETS
from infra.topology.queues import QUEUES
from infra.topology.secrets import SECRETS
from infra.topology.tables import TABLES


def output_name(kind: str, name: str) -> str:
    """Letters and digits only, as CloudFormation requires: `table`, `key-lists` -> `KeyListsTable`."""
    return name.title().replace("-", "") + kind.title().replace("-", "")


OUTPUTS = {
    **{output_name("table", each.name): f"table:{each.name}" for each in TABLES},
    **{output_name("bucket", each.name): f"bucket:{each.name}" for each in BUCKETS},
    **{output_name("queue", each.name): f"queue:{each.name}" for each in QUEUES},
    **{output_name("secret", name): f"secret:{name}" for name in SECRETS},
    **{output_name("mail-set", each.name): f"mail:{each.name}" for each in MAIL_SETS},
    "UserPool": "identity:pool",
    "StripeUrl": "service:stripe",
}
"""Name of an output -> what it has the value of, as in a function's setting."""

API_URL = "ApiUrl"
"""The only output of the compute stack in every installation: the URL that AWS assigns to the API."""

DOMAIN_TARGET = "DomainTarget"
"""Output of the compute stack with a custom domain: the target of its DNS record."""
