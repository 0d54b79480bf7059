"""Checks of a text: with stars, and by regular expression."""

from collections.abc import Callable

from functions.query.bindings import Bindings

TextCheck = Callable[[str], str]
"""SQL of a check, from the SQL of the text that it checks."""

_LIKE_SPECIAL = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def like_check(parts: tuple[str, ...], bindings: Bindings) -> TextCheck:
    """The text consists of `parts` with anything between; the common forms need no pattern."""
    match parts:
        case (start, ""):
            bound = bindings.text(start)
            return lambda text: f"startsWith({text}, {bound})"
        case ("", end):
            bound = bindings.text(end)
            return lambda text: f"endsWith({text}, {bound})"
        case ("", inner, ""):
            bound = bindings.text(inner)
            return lambda text: f"position({text}, {bound}) > 0"
        case _:
            bound = bindings.text("%".join(part.translate(_LIKE_SPECIAL) for part in parts))
            return lambda text: f"{text} LIKE {bound}"


def regex_check(pattern: str, *, ignore_case: bool, bindings: Bindings) -> TextCheck:
    """The text contains a match; functions.query.language.regex has checked the pattern."""
    bound = bindings.text(regex_text(pattern, ignore_case=ignore_case))
    return lambda text: f"match({text}, {bound})"


def regex_text(pattern: str, *, ignore_case: bool) -> str:
    """The expression for the engine."""
    return f"(?i:{pattern})" if ignore_case else pattern
