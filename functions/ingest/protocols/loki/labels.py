"""Labels as text, `{app="shop", env="prod"}`, with the escapes of Go."""

import re

MAX_CHARACTERS = 64 * 1024

_LABEL = re.compile(
    r"""\s*([^\s=,{}"`]{1,1024})\s*=\s*(?:"((?:[^"\\]++|\\.)*+)"|`([^`]*+)`)\s*(,|$)""", re.DOTALL
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_SURROGATES = range(0xD800, 0xE000)
_CHARACTERS = range(0x110000)


def parse(text: str) -> dict[str, str] | None:
    """The labels of a stream; None for a text of another form."""
    text = text.strip()
    if len(text) > MAX_CHARACTERS or text[:1] != "{" or text[-1:] != "}":
        return None
    inner, at = text[1:-1].strip(), 0
    labels: dict[str, str] = {}
    while at < len(inner):
        found = _LABEL.match(inner, at)
        if found is None:
            return None
        name, quoted, raw, _ = found.groups()
        labels[name] = raw if quoted is None else _unquoted(quoted)
        at = found.end()
    return labels


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(found: re.Match[str]) -> str:
    *hexadecimal, octal, simple = found.groups()
    if simple is not None:
        return _SIMPLE.get(simple, simple)
    digits = next((each for each in hexadecimal if each), None)
    code = int(digits, 16) if digits else int(octal, 8)
    return chr(code) if code in _CHARACTERS and code not in _SURROGATES else _REPLACEMENT
