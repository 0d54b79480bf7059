"""Generated texts of the query language: of its grammar, and damaged ones."""

from random import Random

NAMES = [
    "service",
    "level",
    "msg",
    "message",
    "timestamp",
    "received_at",
    "user",
    "a.b",
    "@level",
    "@a.b",
    "`odd name`",
    "@`x``y`",
    "duration_ms",
    "trace_id",
    "project",
    "metadata.k",
    "metadata.level",
    "``",
    "é",
]
WORDS = [
    "timeout",
    "reset",
    "user-42",
    "/api/v1",
    "é",
    "a\\b",
    "10%",
    "x_y",
    "café",
    "=",
    "'",
    "{p0:String}",
    ";",
    "$$",
]
PHRASES = [
    '"connection reset"',
    '"a \\"quoted\\" one"',
    '"back\\\\slash"',
    '" "',
    '"x:y | z"',
    '"AND"',
    '"-a"',
    '"/a/"',
]
VALUES = [
    "500",
    '"500"',
    "true",
    "null",
    '"true"',
    "-7",
    "1.50",
    "1e3",
    "api",
    "web",
    "/health",
    '"two words"',
    '""',
    "18446744073709551616",
    "1e999",
    "a:b",
    "[x]",
    "x,y",
]
REGEXES = [
    "/tim(ed)? out/",
    "/a|b/i",
    r"/\d{1,3}\.\d+/",
    "/[a-z[:digit:]_-]+$/",
    "/x{2,}?/",
    r"/a\/b/",
    "/(?i:x)y/",
    "/^$/",
]
BAD_REGEXES = ["/(?=a)/", r"/\1/", "/a**/", "/(/", "/[/", "/a{1001}/", "/(x{100}){100}/", "/a{2,1}/", "//"]
TIMES = ["2026-11-01T12:00:00Z", "2026-11-01T12:00:00.000000001+01:00", '"2026-11-01T12:00:00Z"', "yesterday"]
LEVELS = ["error", "WARN", "critical", ">=warn", "<info", "err*", "/a/", "(info OR debug)", "errr"]
FUNCTIONS = [
    "count()",
    "count(user)",
    "uniq(service)",
    "sum(duration_ms)",
    "avg(user)",
    "min(timestamp)",
    "max(a.b)",
    "p50(user)",
    "p99(duration_ms)",
    "p0(x)",
    "sum(service)",
    "median(x)",
]
ODD = [
    "(",
    ")",
    "|",
    '"',
    "`",
    "*",
    ":",
    "-",
    "/",
    "[",
    "]",
    "\\",
    "\n",
    "\t",
    "\x00",
    "\u2028",
    "😀",
    "AND",
    "OR",
    "NOT",
    "TO",
    "@",
    ",",
    ">",
    "<=",
    "as",
    "by",
    "\ud800",
]


def query_text(random: Random) -> str:
    """A text that is a query, most of the time."""
    text = _any(random, 3)
    for _ in range(random.choice([0, 0, 0, 1, 1, 2, 4])):
        text += f"{random.choice([' | ', '|'])}{_pipe(random)}"
    return text


def damaged(random: Random, text: str) -> str:
    """The text with one to four pieces replaced."""
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(len(text) + 1)
        text = text[:at] + random.choice(ODD) + text[at + random.randrange(3) :]
    return text


def _any(random: Random, depth: int) -> str:
    joins = [" ", " ", " ", " AND ", " OR "]
    terms = [_term(random, depth) for _ in range(random.choice([1, 1, 2, 3, 4]))]
    return "".join(term + random.choice(joins) for term in terms[:-1]) + terms[-1]


def _term(random: Random, depth: int) -> str:
    kind = random.random()
    if depth and kind < 0.15:
        return f"{random.choice(['', '-', 'NOT '])}({_any(random, depth - 1)})"
    if depth and kind < 0.25:
        return f"{random.choice(['-', 'NOT '])}{_term(random, depth - 1)}"
    if kind < 0.35:
        return random.choice([*WORDS, *PHRASES])
    if kind < 0.42:
        return random.choice(["conn*", "*fused", "*two words*", '"a b"*', "a*b*c", "*", "*/api/*", 'x*"y z"'])
    if kind < 0.5:
        return random.choice([*REGEXES * 3, *BAD_REGEXES])
    return _condition(random, depth)


def _condition(random: Random, depth: int) -> str:
    name = random.choice(NAMES)
    if name == "level":
        return f"level:{random.choice(LEVELS)}"
    if name in ("timestamp", "received_at"):
        return f"{name}:{random.choice(['', '>', '<='])}{random.choice(TIMES)}"
    return f"{name}:{_value(random, depth)}"


def _value(random: Random, depth: int) -> str:
    kind = random.random()
    if depth and kind < 0.15:
        parts = [
            random.choice(["", "", "NOT "]) + _value(random, depth - 1)
            for _ in range(random.choice([1, 2, 3]))
        ]
        return f"({random.choice([' OR ', ' OR ', ' ']).join(parts)})"
    if kind < 0.3:
        return random.choice([">", ">=", "<", "<="]) + random.choice(VALUES)
    if kind < 0.4:
        return f"[{random.choice([*VALUES, '*'])} TO {random.choice([*VALUES, '*'])}]"
    if kind < 0.6:
        return random.choice(
            ["*", "/health*", "*x*", '*"two words"*', "*connection refused*", "a*b", "5*", '"a*"*']
        )
    if kind < 0.65:
        return random.choice(REGEXES)
    return random.choice(VALUES)


def _pipe(random: Random) -> str:
    names = random.sample(["service", "user", "a.b", "level", "timestamp", "@level", "n", "bucket"], 2)
    match random.randrange(10):
        case 9:
            return random.choice(["patterns", "patterns 5", "patterns 1000", "patterns 0", "patterns x"])
        case 0 | 1:
            functions = ", ".join(random.sample(FUNCTIONS, random.choice([1, 2])))
            named = random.choice(["", " as n", " as `odd name`"])
            by = random.choice(
                ["", f" by {names[0]}", f" by {names[0]}, bucket({random.choice(['5m', '1h', '90s', '7x'])})"]
            )
            return f"stats {functions}{named}{by}"
        case 2:
            return f"sort {random.choice(['', '-'])}{names[0]}, -{names[1]}"
        case 3:
            return f"limit {random.choice(['1', '20', '10000', '0', 'x'])}"
        case 4:
            return f"fields {names[0]}, {names[1]}"
        case 5:
            return f"where {_any(random, 1)}"
        case 6:
            return random.choice(
                [
                    r"extract /user (?P<who>\w+)/",
                    'extract pattern "user <who> from <host>"',
                    "extract /x/",
                    "extract /(?P<user>x)/i from service",
                    'extract pattern "<a><b>"',
                    'extract pattern "<_> x <y>" from @z',
                ]
            )
        case 7:
            return f"dedup {names[0]}"
        case _:
            return f"top {random.choice(['', '5 '])}{names[0]}"
