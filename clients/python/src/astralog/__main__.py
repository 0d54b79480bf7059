"""`python -m astralog`: the command `astralog`."""

from __future__ import annotations

import sys

from astralog._command import main

sys.exit(main())
