"""Rows that cost much to judge, and one of them judged: a target of tests.measured, which needs no pytest."""

from functions.privacy.erasure.person_rule import PersonRule

HOSTILE = {
    "deep": '{"a":' + "[" * 100_000 + "]" * 100_000 + ',"email":"%s"}',
    "duplicates": "{" + '"email":"x",' * 80_000 + '"email":"%s"}',
    "empty objects": '{"a":[' + "{}," * 349_000 + '{}],"email":"%s"}',
    "escapes": '{"email":"' + "\\u0041" * 174_000 + '%s"}',
    "quotes": '{"email":"' + '\\"' * 520_000 + '%s"}',
    "open quotes": '{"email":"' + '\\"' * 520_000 + "%s",
    "many strings": '{"a":[' + '"\\n",' * 209_000 + '"%s"]}',
    "blanks": '{"email"' + " " * 1_000_000 + ':"%s"}',
    "blanks after strings": '{"a":[' + ('"x"' + " " * 1000) * 1040 + '],"email":"%s"}',
    "digits": '{"email":' + "1" * 1_000_000 + ',"b":"%s"}',
    "columns": '{"metadata":{},' * 1 + '"metadata":{},' * 70_000 + '"email":"%s"}',
}


def judge_hostile(shape: str, key: str | None, value: str) -> bool:
    """Decide on one row of 1 MiB; called in a process of its own."""
    text = HOSTILE[shape] % value
    line = f'{{"message":"m","metadata":{text}}}'.encode()
    return PersonRule(key, value).matches_line(line)
