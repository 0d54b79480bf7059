"""Events of two tenants with few instants and hostile contents, and random bodies of searches for them."""

import json
from itertools import product
from random import Random
from typing import Any

from hypothesis import strategies as st

from functions.shared.events.levels import CANONICAL
from tests.integration.loading import staged
from tests.integration.search_model import Event

TENANTS = ("acme", "beta")
EVER = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}
VALUES = [
    "false", '"false"', "0", "0.0", "-0.0", "true", "null", "1", "1.0", "1.50", "-7", "200", "999", "1000",
    "12345", "1e2", "9007199254740993", "9007199254740992", "18446744073709551615", '"eu"', '"eu-west-1"',
    '"id-4711-0815"', '"a b"', '"é"', '"\\u00e9"', '"x\\"y"', '"tab\\there"', '"back\\\\slash"', '"a/b"',
    '"a\\/b"', '"nul\\u0000"', '""', '"\\u0069d-4711-0815"', '"' + "long " * 20 + '"', "[]",
    '["eu", "b", 1]', '[["eu"]]',
    '{"b": 1}', '{"b": "eu"}', '{"b": {"c": false}}', "{}",
]  # fmt: skip
KEYS = ["a", "k", "a.b", "a.b.c", "duration_ms", "", "é", "with space", "=", "k" * 200]
MESSAGES = [
    "connection reset by peer", "Connection  reset", "GET /api/v1/items 200", "user-42 logged in", "user 42",
    "ÉCOLE école", "", "reset", "x_y preset", "tab\tand\nnewline", "quote \" and ' and \\", "100%_done",
]  # fmt: skip


def _events() -> list[Event]:
    """Few instants and few contents, so that many rows share their time and some are wholly equal."""
    random = Random(7)
    made = []
    for tenant, _ in product(TENANTS, range(400)):
        keys = random.sample(KEYS, random.randrange(4))
        members = ", ".join(f"{json.dumps(key)}: {random.choice(VALUES)}" for key in keys)
        made.append(
            Event(
                tenant_id=tenant,
                project_id=random.choice(["shop", "blog"]),
                timestamp=f"2026-11-01T12:00:0{random.randrange(4)}.{random.choice([0, 1, 999999999]):09d}Z",
                level=random.choice(["info", "error"]),
                service=random.choice(["gateway", "auth", "ünï"]),
                message=random.choice(MESSAGES),
                trace_id=random.choice(["", "a" * 32, "b" * 32]),
                metadata=f"{{{members}}}",
            )
        )
    return made + made[:60]


EVENTS = _events()


def row_of(event: Event) -> bytes:
    return staged(
        event.metadata,
        tenant_id=event.tenant_id,
        project_id=event.project_id,
        timestamp=event.timestamp.replace("T", " ").rstrip("Z"),
        level=event.level,
        service=event.service,
        message=event.message,
        trace_id=event.trace_id,
    )


SCALARS = [json.loads(value) for value in VALUES if not value.startswith(("[", "{"))]
TEXTS = [value for value in SCALARS if isinstance(value, str)]
ORDERED = [value for value in SCALARS if isinstance(value, (str, int, float)) and not isinstance(value, bool)]
metadata_fields = st.sampled_from(KEYS).map(lambda key: f"metadata.{key}")
columns = st.sampled_from(["project_id", "service", "message", "trace_id"])


def _where(field: st.SearchStrategy[str], values: list[Any], ordered: list[Any], texts: list[str]) -> Any:
    return st.one_of(
        st.fixed_dictionaries(
            {"field": field, "op": st.sampled_from(["eq", "ne"]), "value": st.sampled_from(values)}
        ),
        st.fixed_dictionaries(
            {
                "field": field,
                "op": st.sampled_from(["lt", "lte", "gt", "gte"]),
                "value": st.sampled_from(ordered),
            }
        ),
        st.fixed_dictionaries(
            {
                "field": field,
                "op": st.just("in"),
                "value": st.one_of(
                    st.lists(st.sampled_from(values), min_size=1, max_size=3),
                    st.lists(st.sampled_from(values), min_size=10, max_size=40),
                ),
            }
        ),
        st.fixed_dictionaries({"field": field, "op": st.just("exists"), "value": st.booleans()}),
        st.fixed_dictionaries({"field": field, "op": st.just("contains"), "value": st.sampled_from(texts)}),
    )


COLUMN_VALUES = [*MESSAGES, "shop", "info", "auth", "ünï", "a" * 32, "n", "re"]
wheres = st.one_of(
    _where(metadata_fields, SCALARS, ORDERED, TEXTS),
    _where(metadata_fields, SCALARS, ORDERED, TEXTS),
    _where(columns, COLUMN_VALUES, COLUMN_VALUES, COLUMN_VALUES),
    _where(st.just("level"), list(CANONICAL), list(CANONICAL[1:-1]), COLUMN_VALUES),
)
terms = st.tuples(
    st.sampled_from(
        ["reset", "RESET", "user", "42", "/api/v1", "école", "connection reset", "user-42", "x", "%"]
    ),
    st.booleans(),
)
instants = st.sampled_from([f"2026-11-01T12:00:0{second}.000000001Z" for second in range(5)])
bodies = st.fixed_dictionaries(
    {"limit": st.sampled_from([3, 7, 50, 1000]), "order": st.sampled_from(["asc", "desc"])},
    optional={
        "from": instants,
        "projects": st.lists(st.sampled_from(["shop", "blog", "none"]), max_size=2),
        "services": st.lists(st.sampled_from(["gateway", "auth", "ünï"]), max_size=2),
        "levels": st.lists(st.sampled_from(["info", "error", "fatal"]), max_size=2),
        "trace_id": st.sampled_from(["a" * 32, "b" * 32, "c" * 32, ""]),
        "terms": st.lists(terms, max_size=2),
        "where": st.lists(wheres, max_size=3),
    },
)


def query_of_terms(asked: list[tuple[str, bool]]) -> str:
    return " ".join(f'{"-" if negated else ""}"{text}"' for text, negated in asked)
