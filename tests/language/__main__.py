"""Check names and texts: `python -m tests.language [--list]`, part of `make lint`.

Words that the field does not use (`tests.language.words`), and class names that occur twice in `functions/`.
"""

import argparse
import sys
from collections import Counter

from tests.language.class_names import repeated_class_names
from tests.language.scan import scan

AT_FIRST = 2_467
"""Hits on 2026-11-29, before names and texts were revised."""

ALLOWED = 0
"""More than this fails `make lint`."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.language", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print each hit with the word to use")
    found = list(scan())
    if parser.parse_args().list:
        sys.stdout.writelines(f"{each}\n" for each in found)
    by_folder = Counter(each.path.split("/")[0] for each in found)
    folders = ", ".join(f"{name} {count}" for name, count in by_folder.most_common())
    sys.stdout.write(f"{len(found)} words to replace (at first {AT_FIRST}, allowed {ALLOWED}): {folders}\n")
    repeated = repeated_class_names()
    for name, paths in sorted(repeated.items()):
        sys.stdout.write(f"class {name} occurs twice: {', '.join(paths)}\n")
    return 1 if len(found) > ALLOWED or repeated else 0


if __name__ == "__main__":
    sys.exit(main())
