"""SQL of ClickHouse's HTTP interface, prepared for the embedded engine.

The engine has no request body: the data is in a spool file, and the statement is rewritten to read it. The
engine would also read any file and call any host for any caller; such a statement is rejected.
"""

import re

_TOKENS = re.compile(
    r"""(?P<string>'(?:[^'\\]|\\.|'')*')
      | (?P<comment>--[^\n]*|/\*.*?\*/)
      | (?P<identifier>`[^`]*`|"[^"]*")""",
    re.DOTALL | re.VERBOSE,
)
_INSERT = re.compile(r"\s*INSERT\b", re.IGNORECASE)
_DATA_CLAUSE = re.compile(r"\bFORMAT\s+\w+|\bVALUES\b", re.IGNORECASE)
_LAST_CLAUSE = re.compile(r"\b(?:FORMAT\s+(?P<format>\w+)|VALUES)\s*;?\s*$", re.IGNORECASE)
_SETTINGS = re.compile(r"\bSETTINGS\b", re.IGNORECASE)
_INPUT = re.compile(r"\binput\s*\(\s*(?P<structure>'\s*')\s*\)", re.IGNORECASE)
_OUTSIDE = re.compile(
    r"\b(?:file|url|s3|gcs|azureBlobStorage|hdfs|remote|remoteSecure|executable|mysql|postgresql|mongodb|"
    r"redis|sqlite|odbc|jdbc|iceberg\w*|deltaLake\w*|hudi|paimon\w*|python|\w+Cluster)\s*\(|"
    r"\b(?:INFILE|OUTFILE)\b",
    re.IGNORECASE,
)

SYNTAX_ERROR = 62
ACCESS_DENIED = 497
NOT_IMPLEMENTED = 48


class StatementRefusedError(Exception):
    """The statement must not reach the engine; `code` is ClickHouse's code for it."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def is_insert(sql: str) -> bool:
    """Whether the body of this statement is data and not more SQL."""
    return bool(_INSERT.match(_masked(sql)))


def format_of(sql: str) -> str | None:
    """The format named in a statement, as in `SELECT 1 FORMAT CSV`."""
    clause = _LAST_CLAUSE.search(_masked(sql))
    return clause["format"] if clause else None


def checked(sql: str) -> str:
    """`sql`, unchanged.

    Raises
    ------
    StatementRefusedError: several statements in one, or access to files, hosts or programs.
    """
    text = _masked(sql)
    if is_insert(sql):
        data = _DATA_CLAUSE.search(text)
        text = text[: data.end()] if data else text
    if ";" in text.rstrip().rstrip(";"):
        raise StatementRefusedError(SYNTAX_ERROR, "Multi-statements are not allowed")
    if _OUTSIDE.search(text):
        raise StatementRefusedError(ACCESS_DENIED, "Files, hosts and programs are out of reach here")
    return sql


def reading_from(sql: str, path: str, compression: str) -> str:
    """The INSERT `sql`, with its data read from the file at `path`, still compressed.

    `compression` is ClickHouse's name: zstd (any number of frames), gzip, deflate, none.

    Raises
    ------
    StatementRefusedError: the statement does not name its table or its format.
    """
    text = _masked(sql)
    clause = _LAST_CLAUSE.search(text)
    if not clause:
        raise StatementRefusedError(SYNTAX_ERROR, "An INSERT with data must end in FORMAT or VALUES")
    data_format = clause["format"] or "Values"
    source = _INPUT.search(text)
    if not source:
        return _from_infile(sql[: clause.start()], path, compression, data_format)
    structure = sql[slice(*source.span("structure"))]
    table = f"file({_quoted(path)}, '{data_format}', {structure}, '{compression}')"
    return sql[: source.start()] + table + sql[source.end() : clause.start()]


def _from_infile(head: str, path: str, compression: str, data_format: str) -> str:
    """The grammar requires INFILE before SETTINGS, and FORMAT last."""
    settings = _SETTINGS.search(_masked(head))
    cut = settings.start() if settings else len(head)
    infile = f" FROM INFILE {_quoted(path)} COMPRESSION '{compression}' "
    return f"{head[:cut]}{infile}{head[cut:]} FORMAT {data_format}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _masked(sql: str) -> str:
    """`sql` with unchanged length, comments and string contents blanked and identifiers unquoted."""
    return _TOKENS.sub(_blank, sql)


def _blank(token: re.Match[str]) -> str:
    text = token[0]
    if token["string"]:
        return "'" + " " * (len(text) - 2) + "'"
    return " " * len(text) if token["comment"] else f" {text[1:-1]} "
