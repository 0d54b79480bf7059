"""Hold the texts of the project against the words it does not use: `python -m tests.language [--list]`."""

import argparse
import sys
from collections import Counter

from tests.language.scan import scan

AT_FIRST = 2_467
"""Hits on 2026-11-29, before names and texts were revised."""

ALLOWED = 0
"""Below 1 % of AT_FIRST. More than this fails `make lint`; it only ever goes down."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.language", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print each hit with the word to use")
    found = list(scan())
    if parser.parse_args().list:
        sys.stdout.writelines(f"{each}\n" for each in found)
    by_folder = Counter(each.path.split("/")[0] for each in found)
    folders = ", ".join(f"{name} {count}" for name, count in by_folder.most_common())
    sys.stdout.write(f"{len(found)} words to replace (at first {AT_FIRST}, allowed {ALLOWED}): {folders}\n")
    return 1 if len(found) > ALLOWED else 0


if __name__ == "__main__":
    sys.exit(main())
