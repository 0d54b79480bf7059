"""Records as NDJSON and as CSV that nothing runs."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.exports.cells import RUN_BY_SPREADSHEETS, csv_of, lines, safe
from functions.shared.tables.plain import plain

texts = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"))
simple = st.one_of(texts, st.integers(), st.booleans(), st.none())
values = st.one_of(simple, st.lists(texts, max_size=3), st.dictionaries(texts, texts))


@given(records=st.lists(st.dictionaries(st.sampled_from("abc"), values), max_size=5))
def test_csv_holds_every_value_and_no_cell_is_a_formula(records: list[dict[str, object]]) -> None:
    text = csv_of(records, "abc").decode()
    header, *rows = list(csv.reader(io.StringIO(text, newline="")))

    assert header == ["a", "b", "c"]
    assert len(rows) == len(records)
    for record, row in zip(records, rows, strict=True):
        for column, cell in zip("abc", row, strict=True):
            assert not cell.lstrip(" \u00a0").startswith(RUN_BY_SPREADSHEETS)
            value = record.get(column)
            if isinstance(value, str):
                assert cell in (value, f"'{value}")


@given(records=st.lists(st.dictionaries(texts, values), max_size=5))
def test_ndjson_is_one_object_a_line_and_is_read_back_unchanged(records: list[dict[str, object]]) -> None:
    written = lines(records)

    assert written.count(b"\n") == len(records)
    assert [json.loads(each) for each in written.split(b"\n")[:-1]] == records


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", '=HYPERLINK("x")'],
)
def test_what_a_spreadsheet_runs_gets_an_apostrophe(cell: str) -> None:
    assert safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "plain", "a=b", "1", "'=1", "x\ty"])
def test_what_it_does_not_stays(cell: str) -> None:
    assert safe(cell) == cell


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ({"S": "x"}, "x"), ({"N": "7"}, 7), ({"N": "-7"}, -7), ({"N": "7.5"}, 7.5), ({"BOOL": False}, False),
        ({"NULL": True}, None), ({"SS": ["b", "a"]}, ["a", "b"]), ({"L": [{"N": "1"}]}, [1]),
        ({"M": {"k": {"S": "v"}}}, {"k": "v"}), ({"B": b"\0"}, "AA=="), ({"NS": ["2", "1"]}, [1, 2]),
    ],
)  # fmt: skip
def test_an_attribute_is_shown_as_its_value(attribute: dict[str, object], value: object) -> None:
    assert plain(attribute) == value
