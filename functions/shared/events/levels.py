"""The canonical levels of a row, and the names that senders use for them."""

CANONICAL = ("trace", "debug", "info", "warn", "error", "fatal")
DEFAULT = "info"

_ALIASES = {
    "trace": "trace verbose finest all silly vrb trc",
    "debug": "debug dbg fine finer config http",
    "info": "info information informational inf notice log ok success informative default",
    "warn": "warn warning wrn",
    "error": "error err severe fail failure",
    "fatal": "fatal critical crit alert emerg emergency panic ftl dpanic",
}

BY_NAME = {
    spelling: level
    for level, names in _ALIASES.items()
    for name in names.split()
    for spelling in (name, name.upper(), name.capitalize())
}
"""Every usual spelling, so that the hot path is one look-up."""

SYSLOG = ("fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug")
"""The level of each of syslog's severities, 0 to 7."""

_PINO = {10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal"}


def canonical(value: object) -> str | None:
    """The canonical level of `value`: a name in any case, syslog's 0–7, or bunyan's and pino's 10–60."""
    if isinstance(value, str):
        return BY_NAME.get(value) or BY_NAME.get(value.strip().lower())
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return SYSLOG[value] if 0 <= value < len(SYSLOG) else _PINO.get(value)


_OTEL = ("trace", "debug", "info", "warn", "error", "fatal")


def of_otel(number: int) -> str | None:
    """The level of OpenTelemetry's severity number: four for each level, from 1; None for any other."""
    return _OTEL[(number - 1) // 4] if 1 <= number <= 4 * len(_OTEL) else None


def of_syslog(severity: int) -> str | None:
    """The level of syslog's severity, 0 to 7; None for any other number."""
    return SYSLOG[severity] if 0 <= severity < len(SYSLOG) else None
