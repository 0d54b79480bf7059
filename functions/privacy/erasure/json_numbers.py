"""When a number in JSON equals the wanted number. The same rule in Python and as SQL. Pure.

Whole numbers are compared digit by digit, at any length: ids of 19 digits may differ in the last one. If
either number has a point or an exponent, the two are equal when about 15 digits agree. That includes all
numbers that are the same double: searches and most programs read them as doubles. The comparison itself uses
whole numbers only, so Python and ClickHouse cannot round it differently.
"""

import re
from dataclasses import dataclass

_PARTS = r"^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?$"
"""Sign, whole digits, decimals, sign of the exponent, exponent."""

_WANTED = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_parts = re.compile(_PARTS, re.ASCII)

DIGITS = 17
TOLERANCE = 100
"""In units of the 17th digit. Numbers that are one double differ by 23 at the most."""

SMALLEST_EXPONENT = -300
"""A number below that counts as 0, because a double may store it as 0."""

_SHORT = 13
"""Digits. A different number close to one with so few digits has 14 or more itself."""

_MOST_REPEATED = 100
"""RE2 accepts no count above 1,000, and each costs memory."""

_EXPONENT_DIGITS = 6
_HUGE_EXPONENT = 1_000_000


@dataclass(frozen=True, slots=True)
class Number:
    """±0.`digits` × 10^`exponent`: DIGITS digits, the first not 0. `whole`: all of a whole number."""

    negative: bool
    digits: int
    exponent: int
    whole: str | None
    leading: str
    """All digits from the first that is not 0 to the last."""

    @classmethod
    def wanted(cls, text: str) -> "Number | None":
        """The number that `text` spells in JSON; None for anything else: `007` is no number."""
        return cls._of(text) if _WANTED.fullmatch(text) else None

    @classmethod
    def _of(cls, text: str) -> "Number | None":
        match = _parts.fullmatch(text)
        if not match:
            return None
        sign, before, after, exponent_sign, exponent_digits = (each or "" for each in match.groups())
        both = before + after
        digits = both.lstrip("0")
        exponent = _exponent(exponent_sign, exponent_digits) + len(before) - len(both) + len(digits)
        is_zero = not digits or exponent < SMALLEST_EXPONENT
        whole = before.lstrip("0") if len(both) == len(before) and not exponent_digits else None
        return cls(
            negative=bool(sign) and not is_zero,
            digits=0 if is_zero else int(digits[:DIGITS].ljust(DIGITS, "0")),
            exponent=0 if is_zero else exponent,
            whole=None if whole is None else (sign if whole else "") + whole,
            leading=digits.rstrip("0"),
        )

    def equals(self, token: str) -> bool:
        """Whether `token`, a scalar as written in JSON, is this number."""
        other = Number._of(token)
        if other is None:
            return False
        if self.whole is not None and other.whole is not None:
            return self.whole == other.whole
        if self.negative != other.negative:
            return False
        below = self.exponent == other.exponent + 1
        above = other.exponent == self.exponent + 1
        if not (self.exponent == other.exponent or below or above):
            return False
        ours, theirs = self.digits * (10 if below else 1), other.digits * (10 if above else 1)
        return abs(ours - theirs) <= TOLERANCE

    @property
    def spelling(self) -> str:
        """A regular expression, for `re` and RE2: all scalars that are this number begin with it."""
        if not self.digits:
            return "-?(?:0|[0-9.]+[eE]-)"
        if len(self.leading) <= _SHORT:
            spelled = r"\.?".join(self.leading)
            # A different number that counts as equal has 14 digits or more.
            others = r"[0-9]{7,}[.eE]|[0-9]*\.[0-9]{7,}"
        elif self.whole is None:
            return "-?[0-9]"
        else:
            spelled, others = self.leading, "[0-9.]*[.eE]"
        if self.whole is not None:
            zeros = len(self.whole.lstrip("-")) - len(self.leading)
            end = "(?:[^0-9]|$)" if zeros <= _MOST_REPEATED else ""
            spelled += f"(?:0{{{min(zeros, _MOST_REPEATED)}}}{end}|[0-9]*[.eE])"
        return f"-?(?:[0.]*{spelled}|{others})"

    def parameters(self) -> dict[str, str]:
        """The bound parameters of `sql`."""
        return {
            "number_whole": self.whole or "",
            "number_digits": str(self.digits),
            "number_exponent": str(self.exponent),
        }

    def sql(self, token: str) -> str:
        """`equals` as SQL. `token`: the name of a scalar as written in JSON."""
        digits = "trimLeft(concat(part[2], part[3]), '0')"
        power = "trimLeft(part[5], '0')"
        size = f"if(length({power}) > {_EXPONENT_DIGITS}, {_HUGE_EXPONENT}, toInt64OrZero({power}))"
        exponent = (
            f"if(part[4] = '-', -{size}, {size}) + toInt64(length({digits})) - toInt64(length(part[3]))"
        )
        return (
            f"arrayExists(part -> notEmpty(part) AND arrayExists((digits, exponent) -> {self._is_equal()}, "
            f"[{digits}], [{exponent}]), [extractGroups({token}, '{_escaped(_PARTS)}')])"
        )

    def _is_equal(self) -> str:
        is_zero = f"(digits = '' OR exponent < {SMALLEST_EXPONENT})"
        first = f"toInt64OrZero(rightPad(substring(digits, 1, {DIGITS}), {DIGITS}, '0'))"
        theirs, step = (
            f"if({is_zero}, 0, {first})",
            f"(if({is_zero}, 0, exponent) - {{number_exponent:Int64}})",
        )
        distance = f"{{number_digits:Int64}} * if({step} = -1, 10, 1) - {theirs} * if({step} = 1, 10, 1)"
        is_near = (
            f"(part[1] = '-' AND NOT {is_zero}) = {int(self.negative)} "
            f"AND abs({step}) <= 1 AND abs({distance}) <= {TOLERANCE}"
        )
        if self.whole is None:
            return is_near
        whole = "concat(if(digits = '', '', part[1]), digits)"
        return f"if(part[3] = '' AND part[5] = '', {whole} = {{number_whole:String}}, {is_near})"


def _exponent(sign: str, digits: str) -> int:
    digits = digits.lstrip("0")
    size = _HUGE_EXPONENT if len(digits) > _EXPONENT_DIGITS else int(digits or "0")
    return -size if sign == "-" else size


def _escaped(pattern: str) -> str:
    return pattern.replace("\\", "\\\\")
