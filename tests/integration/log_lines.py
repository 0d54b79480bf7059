"""Lines as services write them, by hand: what patterns are made of."""

from random import Random

WORDS = ("alpha", "beta", "gamma", "delta", "Ärger", "日本", "x", "")
ODD = (
    '"',
    "\\",
    "*",
    "<*>",
    "/",
    "%",
    "_",
    "\n",
    "\t",
    "  ",
    "\x7f",
    "\x01",
    "(",
    ")",
    "|",
    "`",
    ":",
    "'",
    "[",
    "{",
)


def lines(random: Random, count: int) -> list[str]:
    """Messages of a dozen statements in a program, in any order."""
    return [random.choice(_STATEMENTS)(random) for _ in range(count)]


def _number(random: Random) -> int:
    return random.randrange(100_000)


def _hex(random: Random, length: int) -> str:
    return "".join(random.choices("0123456789abcdef", k=length))


_STATEMENTS = (
    lambda r: f"user {r.choice(WORDS)} logged in from 10.0.{r.randrange(256)}.{r.randrange(256)}",
    lambda r: f"connection refused by db-{_number(r)}",
    lambda r: f"checkpoint took {_number(r)} ms",
    lambda r: f"GET /api/v{r.randrange(3)}/items/{_number(r)} {r.choice((200, 404, 500))} {r.random():.3f}s",
    lambda r: f'{{"level":"info","order":{_number(r)},"user":"{_hex(r, 6)}","ok":true}}',
    lambda r: f"job {_hex(r, 8)}-{_hex(r, 4)}-{_hex(r, 4)}-{_hex(r, 4)}-{_hex(r, 12)} done",
    lambda r: f"cache miss for key 0x{_hex(r, 12)} in shard {_number(r)}",
    lambda r: f"mail to {_hex(r, 5)}@example.com failed: mailbox is full",
    lambda r: f"opened https://example.com/{_hex(r, 7)}?page={_number(r)}",
    lambda r: f"2026-11-{r.randrange(1, 29):02d}T10:00:00.{_number(r)}Z moved /var/log/{_number(r)}.log",
    lambda _: "out of memory",
    lambda _: "",
)


def odd_line(random: Random) -> str:
    """Any text: words, numbers and characters that mean something to the language, SQL or expressions."""
    parts = [
        random.choice((*WORDS, *ODD, str(_number(random)), _hex(random, 8), "/a/b", '"q"', "a@b.c", "-5"))
        for _ in range(random.randrange(12))
    ]
    return random.choice(("", " ", ", ")).join(parts)
