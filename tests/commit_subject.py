"""Check a commit's subject: `python -m tests.commit_subject <file with the message>`.

`scope: imperative summary` with a lower-case scope, at most MAX_CHARACTERS, no full stop at the end.
"""

import re
import sys
from pathlib import Path

MAX_CHARACTERS = 72
_FORM = re.compile(r"[a-z][a-z0-9,/_.-]*: [a-z0-9`].*[^.]")


def fault_of(subject: str) -> str | None:
    """What is wrong with `subject`; None when nothing is."""
    if len(subject) > MAX_CHARACTERS:
        return f"the subject has {len(subject)} characters: at most {MAX_CHARACTERS}"
    if not _FORM.fullmatch(subject):
        return "the subject is not `scope: imperative summary`, such as `sync: retry a lost insert`"
    return None


def main() -> int:
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    fault = fault_of(lines[0] if lines else "")
    if fault:
        sys.stderr.write(f"{fault}\n")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
