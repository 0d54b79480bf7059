import pytest

from local.statement import StatementRefusedError, checked, format_of, is_insert, reading_from


def test_input_is_read_from_the_spool_as_it_lies_there() -> None:
    sql = "INSERT INTO t (a, b) SELECT a, {b:String} FROM input('a UInt8, s String') FORMAT JSONEachRow"
    assert reading_from(sql, "/s/1", "zstd") == (
        "INSERT INTO t (a, b) SELECT a, {b:String} "
        "FROM file('/s/1', 'JSONEachRow', 'a UInt8, s String', 'zstd') "
    )


def test_a_structure_with_quotes_and_brackets_arrives_whole() -> None:
    sql = "INSERT INTO t SELECT * FROM input('d DateTime64(3, \\'UTC\\')') FORMAT JSONEachRow"
    assert "'d DateTime64(3, \\'UTC\\')', 'gzip')" in reading_from(sql, "/s/1", "gzip")


def test_settings_between_input_and_format_are_kept() -> None:
    sql = "INSERT INTO t SELECT * FROM input('a UInt8') SETTINGS max_threads = 1 FORMAT CSV"
    assert reading_from(sql, "/s/1", "none").endswith("'none') SETTINGS max_threads = 1 ")


def test_a_plain_insert_reads_the_spool_before_its_settings() -> None:
    sql = "INSERT INTO t (a) SETTINGS x = 1 FORMAT JSONEachRow"
    rewritten = reading_from(sql, "/s/1", "zstd").split()
    assert " ".join(rewritten) == (
        "INSERT INTO t (a) FROM INFILE '/s/1' COMPRESSION 'zstd' SETTINGS x = 1 FORMAT JSONEachRow"
    )


def test_values_are_a_format_too() -> None:
    assert reading_from("INSERT INTO t VALUES", "/s/1", "none").endswith("COMPRESSION 'none'  FORMAT Values")


def test_an_insert_that_names_no_format_is_refused() -> None:
    with pytest.raises(StatementRefusedError):
        reading_from("INSERT INTO t (a)", "/s/1", "none")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM file('/etc/passwd')",
        "SELECT * FROM `file`('/etc/passwd')",
        "SELECT * FROM file/**/('/etc/passwd')",
        "SELECT * FROM URL('http://127.0.0.1/')",
        "INSERT INTO FUNCTION file('/somewhere/out', CSV) SELECT 1",
        "SELECT 1 INTO OUTFILE '/somewhere/out'",
        "INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV",
        "CREATE TABLE t (a Int8) ENGINE = S3('http://x')",
    ],
)
def test_a_reach_for_files_or_hosts_is_refused(sql: str) -> None:
    with pytest.raises(StatementRefusedError) as refused:
        checked(sql)
    assert refused.value.code == 497


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'file(', count() FROM t WHERE file = 1 -- url(",
        'INSERT INTO t FORMAT JSONEachRow {"m": 1} file(',
        "SELECT 1;",
        "SELECT ';'",
    ],
)
def test_what_only_looks_like_it_passes(sql: str) -> None:
    assert checked(sql) == sql


def test_two_statements_in_one_are_refused() -> None:
    with pytest.raises(StatementRefusedError) as refused:
        checked("SELECT 1; DROP TABLE t")
    assert refused.value.code == 62


def test_the_statement_s_own_format_is_found_and_a_string_s_is_not() -> None:
    assert format_of("SELECT 1 FORMAT CSV") == "CSV"
    assert format_of("SELECT 'x FORMAT CSV'") is None


def test_an_insert_is_recognised_behind_a_comment() -> None:
    assert is_insert("/* why */ insert INTO t VALUES")
    assert not is_insert("SELECT 'INSERT'")
