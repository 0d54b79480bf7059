"""Convert times of log lines to the text of rows; cached, because consecutive lines often share a time."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from functions.shared.events import timestamps
from functions.shared.events.timestamps import LATEST_AHEAD

MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}

_REMEMBERED = 4096
_LEAP_YEARS = 8
_DAYS_REMEMBERED = 1000


@lru_cache(_REMEMBERED)
def second(year: str, month: str, day: str, clock: str) -> str:
    """`YYYY-MM-DDTHH:MM:SS`, or empty if that time does not exist; `month` is a number or a name."""
    number = int(month) if month.isdigit() else MONTHS.get(month[:3].lower(), 0)
    hour, minute, seconds = clock.split(":")
    try:
        # A leap second counts as the one before it.
        moment = datetime(
            int(year), number, int(day), int(hour), int(minute), min(int(seconds), 59), tzinfo=UTC
        )
    except ValueError:
        return ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def at(second_text: str, fraction: str = "", zone: str = "") -> str:
    """The time in the format of rows; `fraction`: digits; `zone`: empty for UTC, else `Z` or an offset."""
    if not second_text:
        return ""
    if zone and zone not in ("Z", "z", "UTC", "GMT"):
        moment = timestamps.from_text(f"{second_text}{zone}")
        if moment is None:
            return ""
        second_text = timestamps.to_text(moment)[:19]
    if not fraction.isascii():
        # The patterns also match digits of other scripts, which ClickHouse cannot read.
        fraction = ""
    return f"{second_text}.{fraction[:9]:0<9}Z"


class YearGuess:
    """The year of times without one: the latest year in which they are not after the file was found."""

    def __init__(self, found_at: datetime) -> None:
        self._latest = found_at + LATEST_AHEAD
        self._years: dict[tuple[str, str], str] = {}

    def of(self, month: str, day: str) -> str:
        """The year; empty when the date does not exist."""
        known = self._years.get((month, day))
        if known is None:
            if len(self._years) >= _DAYS_REMEMBERED:
                # The patterns match digits of all scripts, so there are more spellings than days in a year.
                self._years.clear()
            known = self._years[(month, day)] = self._guess(month, day)
        return known

    def _guess(self, month: str, day: str) -> str:
        number = int(month) if month.isdigit() else MONTHS.get(month[:3].lower(), 0)
        for year in range(self._latest.year, self._latest.year - _LEAP_YEARS, -1):
            try:
                moment = datetime(year, number, int(day), tzinfo=UTC)
            except ValueError:
                continue
            if moment <= self._latest:
                return str(year)
        return ""


def epoch(number: str) -> str:
    """An epoch number in the format of rows; empty when `number` is none."""
    # Decimal, which parses it, accepts words such as NaN, and then fails to compare them.
    moment = timestamps.from_number(number) if number[:1].isdigit() else None
    if moment is None or not 0 <= moment < _FAR:
        return ""
    return timestamps.to_text(moment)


_FAR = timestamps.from_datetime(datetime(9999, 1, 1, tzinfo=UTC) - timedelta(days=1))
