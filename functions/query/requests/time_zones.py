"""Time zones by their IANA names.

Of the tz database of the machine, or else of the package `tzdata`, which the zip has: the images of Lambda do
not promise to have one.
"""

import re
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.shared.forms import invalid

MAX_CHARACTERS = 64

_NAME = re.compile(r"[A-Za-z][\w+-]*(?:/[A-Za-z][\w+-]*){0,2}", re.ASCII)

_OF_THE_MACHINE = re.compile(r"(?:posix|right)/.*|localtime|posixrules|Factory")
"""Files beside the zones in some databases; the zones of `right/` count leap seconds."""


def time_zone(name: str) -> tzinfo:
    """The zone called `name`, such as `Europe/Berlin`.

    Raises
    ------
    HttpError: 400 `invalid_time_zone`.
    """
    if name == "UTC":
        return UTC
    try:
        if _NAME.fullmatch(name) and not _OF_THE_MACHINE.fullmatch(name):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise invalid("time_zone", "must be UTC, or an IANA name such as Europe/Berlin or America/New_York")
