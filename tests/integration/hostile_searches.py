"""Hostile bodies of searches, and a process that answers them as the function does."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

from functions.query import handler as querying
from functions.query.language.parser import MAX_CHARACTERS
from functions.query.limits import budget
from functions.query.requests.request import search
from functions.query.results import cursor as cursors
from functions.query.results import rows
from functions.query.results.cursor import BYOC
from functions.query.results.page import page
from functions.query.results.rows import EventRow
from functions.query.searching.event_search import EventSearch, ManagedSearch, SearchLimits
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.egress.response_limits import MAX_ANSWER_BYTES
from functions.shared.secret_text import SecretText
from functions.shared.warehouse import UnusableAnswerError, Warehouse
from tests.query_texts import damaged, query_text

LIMITS = SearchLimits(max_seconds=20, max_memory_bytes=1 << 30, max_result_bytes=1 << 26, max_threads=1)
ODD_TEXTS = [
    "", "\x00", "a\x00b", "'", '"', "\\", "\\'", "{p0:String}", "{tenant_id:String}", "%", "_", "\n",
    "\t", "\r", "é", "\U0001f600", "\u2028", "\ufeff", "\ud800", "--", "/*", "$$", ";", "NULL", "-", "*",
    "x" * 1024, "\u0130", "ß", "\u212a", "\x7f", "\x85", "..", ".", "a..b", '-"', '""',
]  # fmt: skip
ODD_NUMBERS = [
    "0", "-0", "-0.0", "1e400", "-1e400", "1e-400", "1e308", "5e-324", "18446744073709551615",
    "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "9" * 400, "9" * 5000,
    "1." + "3" * 400, "1E+2", "NaN", "Infinity",
]  # fmt: skip
OPS = ["eq", "ne", "lt", "lte", "gt", "gte", "in", "exists", "contains", "like"]
FIELDS = [
    "metadata.a", "metadata.", "metadata..", "metadata.a.b.c", "metadata.duration_ms", "message", "timestamp",
    "received_at", "level", "trace_id", "tenant_id", "batch_id", "metadata", "metadata." + "k" * 200,
    "metadata." + ".".join("a" * 16), "metadata." + "." * 500,
]  # fmt: skip


def the_reviews_attack() -> bytes:
    """Six `in` conditions on a path of as many parts as a field holds, with a thousand values each."""
    path = "metadata." + ".".join(["a"] * 500)
    where = {"field": path, "op": "in", "value": [f"value-{number}-é" for number in range(1000)]}
    return json.dumps({"where": [where] * 6}).encode()


def plain_values() -> bytes:
    """What the documentation says may be asked for: a thousand identifiers."""
    values = [f"5f0c{number:04}-aaaa-bbbb-cccc-0123456789ab" for number in range(1000)]
    return json.dumps({"where": [{"field": "metadata.user", "op": "in", "value": values}]}).encode()


def the_largest() -> bytes:
    """As many conditions, paths, values and bytes as pass, all of metadata that must be parsed."""
    path = "metadata." + ".".join(["part"] * (budget.MAX_ALL_PATH_PARTS // 32))
    mixed: list[Any] = ["x.y.z-08154711", "é" * 16, 10**17, 1.5, True]
    where = [{"field": path, "op": "in", "value": mixed * 22} for _ in range(32)]
    words = " ".join(f"-a{number}/b/c/d/e" for number in range(32))
    return json.dumps({"q": words, "where": where, "limit": 1000}).encode()


def the_largest_query(count: int = 48) -> bytes:
    """Conditions of expressions and patterns, on paths that must be parsed."""
    path = ".".join(["part"] * (budget.MAX_ALL_PATH_PARTS // 64))
    conditions = [f"{path}{n}:{'/(x{30}|y{30}){5}[^z]+$/' if n % 2 else '*é*b*c*d*'}" for n in range(count)]
    return json.dumps({"query": " OR ".join(conditions), "limit": 1000}).encode()


def hostile_bodies() -> list[bytes]:
    """One of each kind."""
    return [
        the_reviews_attack(),
        b"[" * 1_000_000,
        b'{"where":' + b"[" * 900_000,
        b'{"where":[{"field":"metadata.a","op":"eq","value":' + b'{"a":' * 150_000,
        b'{"where":[{"field":"metadata.a","op":"in","value":[' + b"[]," * 300_000 + b"1]}]}",
        b'{"where":[{"field":"metadata.a","op":"in","value":[' + b"{}," * 300_000 + b"1]}]}",
        b'{"where":[{"field":"metadata.a","op":"in","value":[' + b"1," * 500_000 + b"1]}]}",
        b'{"where":[{"field":"metadata.a","op":"eq","value":' + b"9" * 1_000_000 + b"}]}",
        b'{"where":[{"field":"metadata.a","op":"eq","value":0.' + b"3" * 1_000_000 + b"}]}",
        b'{"limit":' + b"1" * 1_000_000 + b"}",
        b'{"services":[' + b'"",' * 300_000 + b'""]}',
        b'{"q":"' + b"\\u0000" * 4096 + b'"}',
        b'{"q":"' + b"\\ud83d" * 100 + b'"}',
        b'{"q":"' + b"x" * 1_000_000 + b'"}',
        b" " * (8 * 1024 * 1024),
        *(json.dumps({"q": text}).encode() for text in hostile_words()),
        *(json.dumps({"cursor": text}).encode() for text in hostile_cursors()),
        *(b'{"where":[{"field":"metadata.a","op":"lt","value":%b}]}' % raw.encode() for raw in ODD_NUMBERS),
        *(json.dumps({"trace_id": text, "projects": [text], "q": text}).encode() for text in ODD_TEXTS),
        *(json.dumps({"query": text}).encode() for text in hostile_queries()),
    ]


def hostile_words() -> list[str]:
    return [
        '"' * 4096, "-" * 4096, '-"' * 2048, '"-' * 2048, "a-" * 2048, '"' + "a " * 2040 + '"', "- " * 2048,
        "é" * 4096, " " * 4096, '"a"' * 1300, "\\" * 4096, "'" * 4096, "{p0:String}" * 300,
        "\U0001f600" * 4096,
    ]  # fmt: skip


def hostile_queries() -> list[str]:
    pieces = [
        "(",
        "-",
        '"',
        "`",
        "/a ",
        "*a ",
        "x:(",
        "a OR ",
        "/\\/ ",
        "x:[",
        "x:",
        "@",
        "|",
        "a|",
        "[",
        "\\",
        "NOT ",
    ]
    longest = MAX_CHARACTERS // 10
    return [
        *((piece * MAX_CHARACTERS)[:MAX_CHARACTERS] for piece in pieces),
        *(f"a {piece * 40} b" for piece in pieces),
        *(f'"{text}" x:"{text}" `{text}`:"{text}"*' for text in ODD_TEXTS),
        "/" + "(a|b)*" * 80 + "/",
        "/" + "(" * 20 + "a" + ")*" * 20 + "/",
        "/(.*)*$/ x:/(a+)+b/",
        f"x:({' OR '.join(['1'] * 900)})",
        "x:*" + "a*" * longest,
        "a" * MAX_CHARACTERS,
    ]


def hostile_cursors() -> list[str]:
    body = search(b"{}", 10**18)
    most = 2**63 - 1
    places = [
        cursors.CursorPosition(most, "b", 2**32 - 1, 2**64 - 1, most),
        cursors.CursorPosition(0, "", 0, 0, 1),
        cursors.CursorPosition(most, "'\\\x00" * 700, 0, 0, most),
        cursors.CursorPosition(5, "x", 5, 5, 10**15),
    ]
    spans = [(0, most), (most, 0), (most, most), (0, 0)]
    return [
        *(
            cursors.encode(cursors.Cursor(cursors.VERSION, body.digest, *span, place))
            for place in places for span in spans
        ),
        "=", "====", "A" * 4096, "-_" * 2048, "é", "\x00",
        *map(_encoded, ("[" * 3000, "[1]", "null", "{}", '[1,"x",1e400,0,[0,"",0,1]]', '"' * 3000)),
        _encoded(f'[1,"{body.digest}",{"9" * 2000},0,[0,"",0,1]]'),
    ]  # fmt: skip


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def generated_bodies(seed: int, count: int) -> Iterator[bytes]:
    """Bodies of a search's form with odd contents, a third of them damaged as text."""
    random = Random(seed)
    for _ in range(count):
        content = _members(random).encode("utf-8", "surrogatepass")
        if random.random() < 0.3:
            at = random.randrange(len(content))
            content = (
                content[:at] + random.randbytes(random.randrange(4)) + content[at + random.randrange(3) :]
            )
        yield content


def _members(random: Random) -> str:
    members = {
        "from": _scalar(random), "to": _scalar(random), "q": _text(random), "trace_id": _scalar(random),
        "order": random.choice(['"asc"', '"desc"', "1"]), "limit": random.choice(["1", "1000", "0", "1e2"]),
        "query": json.dumps(damaged(random, query_text(random).split("|")[0])),
        "cursor": json.dumps(random.choice(hostile_cursors())), "services": _list(random),
        "levels": _list(random),
        "where": f"[{', '.join(_where(random) for _ in range(random.randrange(5)))}]",
    }  # fmt: skip
    chosen = random.sample(sorted(members), random.choice([0, 1, 1, 2, 2, 3, 5]))
    return "{" + ", ".join(f'"{name}": {members[name]}' for name in chosen) + "}"


def _where(random: Random) -> str:
    value = _list(random) if random.random() < 0.4 else _scalar(random)
    field, op = json.dumps(random.choice(FIELDS)), json.dumps(random.choice(OPS))
    return f'{{"field": {field}, "op": {op}, "value": {value}}}'


def _list(random: Random) -> str:
    return f"[{', '.join(_scalar(random) for _ in range(random.choice([0, 1, 3, 50])))}]"


def _scalar(random: Random) -> str:
    kind = random.random()
    if kind < 0.5:
        return _text(random)
    if kind < 0.8:
        return random.choice(ODD_NUMBERS[:-4])
    return random.choice(["true", "false", "null", "{}", "[]", '"2026-11-01T12:00:00Z"'])


def _text(random: Random) -> str:
    parts = random.choices(ODD_TEXTS, k=random.choice([1, 1, 2, 8]))
    return json.dumps("".join(parts), ensure_ascii=random.random() < 0.5)


NAMED = {
    "the review's attack": lambda: [the_reviews_attack()],
    "a thousand plain values": lambda: [plain_values()],
    "the largest search": lambda: [the_largest()],
    "the largest query": lambda: [the_largest_query()],
    "a query that is too long": lambda: [the_largest_query(64)],
    "hostile bodies": hostile_bodies,
}


def count_answers(port: int, name: str, seed: int = 0, count: int = 0) -> dict[str, int]:
    """How often each answer was given: to the bodies of NAMED, or to `count` that are generated."""
    bodies = NAMED[name]() if name in NAMED else list(generated_bodies(seed, count))
    event_search = _managed_search(port)
    querying._managed_search = lambda: event_search  # type: ignore[assignment]
    return dict(Counter(_answer(body) for body in bodies))


def _answer(body: bytes) -> str:
    answer = querying.handler(_event(body), None)
    return f"{answer['statusCode']} {json.loads(answer['body']).get('code', '')}".strip()


def _managed_search(port: int) -> ManagedSearch:
    address = ClickHouseAddress("127.0.0.1", port, False, "tests", SecretText("tests"), "astralog")
    return ManagedSearch(EventSearch(Warehouse(address, 23), LIMITS), 4)


def _event(body: bytes) -> dict[str, Any]:
    verdict = {
        "verdict": "ok", "tenant_id": "mallory", "key_id": "k", "project_id": "p", "scopes": "read",
        "retention_days": "30", "bytes_per_second": "1", "refusal": "", "actor": "key:k",
        "plan": "managed_30",
    }  # fmt: skip
    context = {"requestId": "r", "http": {"method": "POST"}, "authorizer": {"lambda": verdict}}
    encoded = base64.b64encode(body).decode()
    return {
        "routeKey": "POST /v1/search",
        "requestContext": context,
        "body": encoded,
        "isBase64Encoded": True,
    }


ROW = {
    **dict.fromkeys(EventRow.__struct_fields__, ""),
    "timestamp": "2026-11-01 12:00:00.000000001",
    "position": 2,
    "row_hash": "7",
    "store": "managed",
}
STATISTICS = b'],"statistics":{"rows_read":1,"elapsed":0.1}}'
HOSTILE_ELEMENTS = {
    "empty objects": b"{}",
    "lists": b"[]",
    "objects in objects": b'{"a":{"b":{"c":{"d":[1,2,3]}}}}',
    "rows": json.dumps(ROW).encode(),
    "rows with more in them": json.dumps({**ROW, "more": [{"a": [1] * 50}] * 20}).encode(),
    "wide text": json.dumps({**ROW, "message": "x" * 1_000_000 + "\U0001f600"}, ensure_ascii=False).encode(),
}


def decoded(name: str) -> str:
    """What becomes of an answer as long as one may be, of a customer's server, made of one element."""
    element = HOSTILE_ELEMENTS[name]
    count = (MAX_ANSWER_BYTES - 1000) // (len(element) + 1)
    content = b'{"data":[' + (element + b",") * count + element + STATISTICS
    try:
        result = rows.decode(content, BYOC)
    except UnusableAnswerError:
        return "unusable"
    return "shown" if page(search(b'{"limit":1000}'), result) else "empty"
