"""Create our plans at the fake Stripe with the operator's own command. `python -m local.catalogue`, a job.

It runs once Secrets Manager holds the key, and again after each restart of the `stripe` child. Idempotent.
"""

import os
import sys
from dataclasses import dataclass

from local.child import configuration
from local.naming import aws_variables
from operate.__main__ import main as operate


@dataclass(frozen=True, slots=True)
class Configuration:
    aws_endpoint: str


def main() -> int:
    config = configuration(Configuration)
    os.environ.update(aws_variables(config.aws_endpoint))
    return operate(["sync-catalogue"])


if __name__ == "__main__":
    sys.exit(main())
