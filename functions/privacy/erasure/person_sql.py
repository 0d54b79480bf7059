"""Which rows mention a person: functions.privacy.erasure.person_rule as a condition of ClickHouse. Pure.

The engine's JSON functions find nothing in metadata that they cannot parse, and only one of several equal
keys. Here a regular expression cuts the text into tokens, and counting brackets gives each token's path. That
costs twenty times as much as a JSON function. Two filters keep it away from ordinary rows: the text has a key
and a value in a spelling that may be the wanted one, and the JSON functions have not already found it.
"""

import re

from functions.privacy.erasure.json_tokens import (
    A_SCALAR,
    A_STRING,
    CHANGED_BY_REPAIR,
    CONTROL_CHARACTERS,
    DECODABLE,
    ESCAPES,
    MALFORMED,
    MARKS,
    NO_SIGN,
    NUMBER_OR_LITERAL,
    OBJECT,
    SEPARATOR,
    SIGNS,
    SPACE,
    STRING,
    STRINGS,
    TOKENS,
)
from functions.privacy.erasure.person_rule import NULL, Path, PersonRule

Parameters = dict[str, str | list[str]]
"""Name -> value, as `{name:Type}` in the SQL."""

_METADATA = "if(isValidUTF8(metadata), metadata, toValidUTF8(metadata))"
_VALUE = "{value:String}"
_ELSEWHERE, _ON_THE_WAY = 1, 2


def mentions(rule: PersonRule) -> tuple[str, Parameters]:
    """The condition on a row of `events`, and its bound parameters."""
    parameters: Parameters = {"value": rule.value}
    if rule.key is None:
        return f"position(message, {_VALUE}) > 0", parameters
    if rule.number:
        parameters |= rule.number.parameters()
    needles = ", ".join([_VALUE, *map(_literal, rule.needles[1:])])
    has_value = f"multiSearchAny({_METADATA}, [{needles}])"
    parameters["pair"] = _spelled_pair(rule)
    has_pair = f"match({_METADATA}, {{pair:String}})"
    parsed, walked = [], []
    for at, path in enumerate(rule.paths):
        names = f"{{path_{at}:Array(String)}}"
        parameters[f"path_{at}"] = list(path)
        parsed.append(_is_parsed_under(path, names))
        walked.append(_is_under(rule, path, names))
    is_there = [*parsed, *walked]
    held = f"{has_pair} AND ({' OR '.join(is_there)})"
    may_have_value = f"({has_value} OR match({_METADATA}, {_literal(CHANGED_BY_REPAIR)}))"
    in_doubt = f"NOT {_is_parsed()} AND {may_have_value} AND NOT {_is_one_object()}"
    return (
        f"(({held if rule.number else f'{has_value} AND {held}'}) OR ({in_doubt} AND {_is_anywhere()}))",
        parameters,
    )


def _spelled_pair(rule: PersonRule) -> str:
    """A pattern that matches all metadata with the value under the key, however characters are escaped."""
    keys = "|".join(rf'"{_quoted(path[-1])}"' for path in rule.paths)
    values = [rf'"{_quoted(rule.value)}"', _quoted(rule.value), r'"[^"\\]*\\']
    if rule.number:
        values.append(rule.number.spelling)
    return rf'(?:{keys}|\\(?s:.)[^"\\]*"){SPACE}:{SPACE}(?:{"|".join(values)})'


def _is_parsed_under(path: Path, names: str) -> str:
    """A shortcut: if the engine's parser finds the value, walking the tokens would find it, too."""
    at = ", ".join(["metadata", *(f"{names}[{depth}]" for depth in range(1, len(path) + 1))])
    is_number = f"JSONType({at}) IN ('Int64', 'UInt64', 'Double') AND JSONExtractRaw({at}) = {_VALUE}"
    return f"(JSONType({at}) = 'String' AND JSONExtractString({at}) = {_VALUE}) OR ({is_number})"


def _is_under(rule: PersonRule, path: Path, names: str) -> str:
    """For each key but the last, an array says for each token whether its object is on the path."""
    carried = [_carried(depth, f"{names}[{depth}]") for depth in range(1, len(path))]
    levels = [f"level_{depth}" for depth in range(1, len(path))]
    is_on_the_way = "".join(f" AND {level} = {_ON_THE_WAY}" for level in levels)
    pairs = (
        f"arrayFilter(({', '.join(['token', 'depth', *levels])}) -> depth = {len(path)}{is_on_the_way} "
        f"AND match(token, {{pair:String}}), {', '.join(['tokens', 'depths', *carried])})"
    )
    value = f"replaceRegexpOne(token, {_literal(f'^{STRING}{SEPARATOR}')}, '')"
    found = (
        f"arrayExists(token -> {_is_text(_key('token'), f'{names}[{len(path)}]')} "
        f"AND arrayExists(scalar -> {_is_value(rule)}, [{value}]), {pairs})"
    )
    return f"arrayExists((tokens, depths) -> {found}, [{_tokens()}], [{_depths_of(_tokens())}])"


def _carried(depth: int, name: str) -> str:
    may_be_key = f"(position(token, '\\\\') > 0 OR startsWith(token, concat('\"', {name})))"
    is_key = f"{may_be_key} AND {_is_text(_key('token'), name)}"
    mark = (
        f"multiIf(depth < {depth}, {_ELSEWHERE}, depth > {depth}, 0, "
        f"NOT match(token, {_literal(f'^{STRING}{SEPARATOR}')}), 0, "
        f"{is_key}, {_ON_THE_WAY}, {_ELSEWHERE})"
    )
    return f"arrayFill(mark -> mark != 0, arrayMap((token, depth) -> {mark}, tokens, depths))"


def _is_value(rule: PersonRule) -> str:
    is_scalar = f"(scalar = {_VALUE} AND scalar != '{NULL}')"
    if rule.number:
        is_scalar = f"({is_scalar} OR {rule.number.sql('scalar')})"
    return f"if(startsWith(scalar, '\"'), {_is_text('scalar', _VALUE)}, {is_scalar})"


def _is_text(string: str, wanted: str) -> str:
    says = f"match({string}, {_literal(DECODABLE)}) AND JSONExtractString({string}) = {wanted}"
    return (
        f"if(position({string}, '\\\\') = 0, substring({string}, 2, length({string}) - 2) = {wanted}, {says})"
    )


def _is_parsed() -> str:
    """Whether the engine parses one object, which is then one by its tokens. It skips a byte order mark."""
    return f"(JSONType({_METADATA}) = 'Object' AND match({_METADATA}, {_literal(OBJECT)}))"


def _is_one_object() -> str:
    marks = ", ".join(map(_literal, MARKS))
    form = (
        f"multiIf(sign IN ({marks}), sign, match(sign, {_literal(DECODABLE)}), '{A_STRING}', "
        f"match(sign, {_literal(NUMBER_OR_LITERAL)}), '{A_SCALAR}', '{NO_SIGN}')"
    )
    is_object = (
        f"signs[1] = '{{' AND indexOf(depths, 0) = length(depths) "
        f"AND NOT match(arrayStringConcat(arrayMap(sign -> {form}, signs)), {_literal(MALFORMED)})"
    )
    signs = f"extractAll({_METADATA}, {_literal(SIGNS)})"
    return f"arrayExists((signs, depths) -> {is_object}, [{signs}], [{_depths_of(signs)}])"


def _is_anywhere() -> str:
    """As text, or in a string after invalid escapes are removed, closed if the text ends inside it."""
    strings = f"extractAll({_METADATA}, {_literal(STRINGS)})"
    changed = f"arrayFilter(string -> match(string, {_literal(CHANGED_BY_REPAIR)}), {strings})"
    plainer = f"replaceRegexpAll(string, {_literal(CONTROL_CHARACTERS)}, '')"
    valid = f"arrayMap(string -> replaceRegexpAll({plainer}, {_literal(ESCAPES)}, '\\\\1'), {changed})"
    repaired = (
        f"arrayMap(string -> if(match(string, {_literal(f'^(?:{STRING})$')}), string, concat(string, '\"')), "
        f"{valid})"
    )
    plain = "substring(string, 2, length(string) - 2)"
    says = f"if(position(string, '\\\\') = 0, {plain}, JSONExtractString(string))"
    found = f"arrayExists(string -> position({says}, {_VALUE}) > 0, {repaired})"
    return f"(position({_METADATA}, {_VALUE}) > 0 OR {found})"


def _tokens() -> str:
    return f"extractAll({_METADATA}, {_literal(TOKENS)})"


def _depths_of(tokens: str) -> str:
    step = "multiIf(token IN ('{', '['), 1, token IN ('}', ']'), -1, 0)"
    return f"arrayCumSum(token -> {step}, {tokens})"


def _key(token: str) -> str:
    return f"extract({token}, {_literal('^' + STRING)})"


def _quoted(text: str) -> str:
    """`text` for RE2, which has no NUL in a pattern."""
    return re.escape(text).replace("\0", r"\x00")


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
