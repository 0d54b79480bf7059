"""The text of a value in metadata, taken by one function of the engine, is what four make step by step.

Whatever the metadata is: keys twice, escaped or nested, lone surrogates, numbers beyond a double, no JSON.
"""
# ruff: noqa: S608 - the statements are of this module alone

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.in_process import embedded_engine
from functions.query.bindings import Bindings
from functions.query.compile import metadata
from functions.shared.warehouse import Warehouse
from tests.examples import examples

KEYS = ("k", "a.k", "a", "region", 'q"k')
SCALARS = (
    '"a"', '""', '"null"',
    '" x "', '"\\u00e9\\n\\"x\\/"', '"a/b"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\ud800"',
    '"\\"k\\":1"', "1", "-0", "0", "1.0", "1e2", "-1.25e-7", "1e308", "1e999", "-1e999", "5e-324", "0.1",
    "3.0000000000000001", "1e15", "1e16", "1E21", "18446744073709551615", "18446744073709551616",
    "-9223372036854775809", "123456789012345678901234567890", "true", "false", "null", "[]", "{}",
    "nan", "01", "+1", "[", "tru",
)  # fmt: skip
SPACE = st.sampled_from(["", " ", "\n\t"])


def written_key(key: str) -> st.SearchStrategy[str]:
    """The key in JSON, each character as it is or escaped."""
    return st.lists(st.booleans(), min_size=len(key), max_size=len(key)).map(
        lambda escaped: '"' + "".join(
            f"\\u{ord(each):04x}" if must else json.dumps(each)[1:-1]
            for each, must in zip(key, escaped, strict=True)
        ) + '"'
    )  # fmt: skip


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects of few keys, some of them twice."""
    pair = st.builds(
        lambda key, before, after, value: f"{key}{before}:{after}{value}",
        st.sampled_from([*KEYS, "other"]).flatmap(written_key), SPACE, SPACE, values,
    )  # fmt: skip
    return st.builds(
        lambda space, pairs: f"{{{space}{','.join(pairs)}{space}}}", SPACE, st.lists(pair, max_size=4)
    )


VALUES = st.recursive(
    st.sampled_from(SCALARS) | st.text(max_size=5).map(json.dumps),
    lambda inner: objects(inner) | st.lists(inner, max_size=3).map(lambda found: f"[{','.join(found)}]"),
    max_leaves=4,
)
DOCUMENTS = objects(VALUES) | VALUES


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with embedded_engine() as engine:
        yield engine.database("texts")


def step_by_step(key: str, bindings: Bindings) -> str:
    ways = [[key], *([key.split(".")] if "." in key else [])]
    found = ", ".join(
        f"JSONType({at}) = 'String', JSONExtractString({at}), JSONType({at}) != 'Null', JSONExtractRaw({at})"
        for at in (", ".join(["metadata", *map(bindings.text, way)]) for way in ways)
    )
    return f"multiIf({found}, NULL)"


def texts(warehouse: Warehouse, key: str, documents: list[str]) -> list[dict[str, Any]]:
    """Each document with both forms of the text under `key`."""
    bindings = Bindings()
    selected = f"metadata, {metadata.text_of(key, bindings)} AS one, {step_by_step(key, bindings)} AS steps"
    source = f"(SELECT arrayJoin({bindings.texts(documents)}) AS metadata)"
    return warehouse.select(f"SELECT {selected} FROM {source}", bindings.parameters).rows


@examples(60)
@given(documents=st.lists(DOCUMENTS, min_size=5, max_size=10), key=st.sampled_from(KEYS))
def test_one_function_finds_the_text_that_four_find(
    warehouse: Warehouse, documents: list[str], key: str
) -> None:
    found = texts(warehouse, key, documents)
    assert len(found) == len(documents)
    for each in found:
        assert each["one"] == each["steps"], each


@pytest.mark.parametrize(
    "document",
    ['{"k":%s}', '{"k" : %s }', '{"a":{"k":"no"},"k":%s}', '{"k":1,"k":%s}', '{"k":%s,"k":2}',
     '{"\\u006b":%s}', '{"a.k":%s,"a":{"k":7}}', '{"a.k":null,"a":{"k":%s}}', '{"k":%s,"z":1e999}',
     '{"k":%s', "[%s]", "%s"],
)  # fmt: skip
def test_every_scalar_has_one_text_wherever_it_is(warehouse: Warehouse, document: str) -> None:
    for key in ("k", "a.k"):
        found = texts(warehouse, key, [document % value for value in SCALARS])
        assert len(found) == len(SCALARS)
        assert [each["one"] for each in found] == [each["steps"] for each in found]


def test_values_have_the_text_that_a_table_shows(warehouse: Warehouse) -> None:
    documents = ['{"k":"a\\n"}', '{"k":1.0}', '{"k":true}', '{"k":null}', '{"j":1}', '{"k":{"a":[1,"b"]}}']
    shown = [each["one"] for each in texts(warehouse, "k", documents)]
    assert shown == ["a\n", "1", "true", None, None, '{"a":[1,"b"]}']
