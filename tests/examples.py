"""How many examples Hypothesis generates: all of them in `make soak`, three in ten in `make test`.

Each run generates others, so that many short runs look as far as a long one.
"""

from typing import Any

from hypothesis import settings

FULL, SHORT = "full", "short"
_FULL_EXAMPLES = settings.get_profile("default").max_examples


def register_profiles() -> None:
    """Register both profiles and load the short one; `--hypothesis-profile full` loads the other.

    Neither has a deadline: on a machine that does other work an example is slow for a reason that is not its
    own, and bounds on time are measured as CPU time, in tests of their own (tests/measured.py).
    """
    settings.register_profile(FULL, max_examples=_FULL_EXAMPLES, deadline=None)
    settings.register_profile(SHORT, max_examples=3 * _FULL_EXAMPLES // 10, deadline=None)
    settings.load_profile(SHORT)


def examples(count: int, **more: Any) -> settings:
    """Settings for a test whose full run has `count` examples, rather than Hypothesis's hundred."""
    return settings(max_examples=-(-count * settings().max_examples // _FULL_EXAMPLES), **more)
