"""`python -m openapi [path]` writes the document to `path`, by default build/openapi.json."""

import sys
from pathlib import Path

from openapi.build import TARGET, write

if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
