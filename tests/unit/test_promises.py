"""docs/promises.md against the policy, the code and the tests; and what no single part can be asked."""

import ast
import re
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.archive import AWS_SERVICES
from infra.topology import FUNCTIONS

POLICY = Path("docs/privacy-policy.txt").read_text()
PAGE = Path("docs/promises.md").read_text()
ENTRY = re.compile(r"((?:^> .+\n)+)\n((?:^(?:- |  ).+\n)+)", re.MULTILINE)


class Promise(NamedTuple):
    """A sentence of the policy, quoted, and the bullets below it by their label."""

    sentence: str
    code: list[str]
    tests: list[str]
    others: list[str]


def promise(quoted: str, bullets: str) -> Promise:
    items = [re.sub(r"\s+", " ", each).strip() for each in re.split(r"^- ", bullets, flags=re.MULTILINE)[1:]]
    labelled = [each.partition(": ") for each in items]
    return Promise(
        " ".join(line.removeprefix("> ") for line in quoted.splitlines()),
        [text for label, _, text in labelled if label == "Code"],
        [text for label, _, text in labelled if label == "Test"],
        [label for label, _, _ in labelled if label not in ("Code", "Test")],
    )


PROMISES = [promise(*found) for found in ENTRY.findall(PAGE)]

LIBRARIES = {
    "aws_lambda_powertools", "backports", "boto3", "botocore", "certifi", "clickhouse_connect", "cramjam",
    "cryptography", "google", "joserfc", "msgpack", "msgspec", "obstore", "opentelemetry", "pyarrow",
    "pynamodb", "stripe", "urllib3", "zlib_ng", "zxcvbn",
}  # fmt: skip
"""The libraries of our code beside the standard library."""

READS_EVENTS = {
    "functions/query/results/row_order.py": "its owner's searches",
    "functions/query/compile/templates.py": "templates of its owner's messages",
    "functions/query/compile/pipes.py": "its owner's stats",
    "functions/query/compile/counts.py": "its owner's histograms",
    "functions/query/compile/hours.py": "counts by hour of its owner's events",
    "functions/query/compile/samples.py": "its owner's fields",
    "functions/shared/byoc/otel_view.py": "a view in a customer's own database",
    "functions/query/estimate.py": "what its owner's searches would read",
    "functions/query/complete.py": "names and values for its owner's queries",
    "functions/query/tailing/statements.py": "counts of a batch that its owner follows",
    "functions/privacy/export/logs.py": "a copy for its owner",
    "functions/privacy/erasure/rows.py": "an erasure that its owner asked for",
    "functions/destinations/probe.py": "a customer's own ClickHouse, tested with one of our rows",
    "functions/sync/load.py": "counts of a batch",
    "functions/billing/reconciliation/stored_rows.py": "counts by tenant and day",
    "functions/retention/partitions.py": "counts by tenant and day of receipt",
}


def sentences() -> list[str]:
    """The policy's sentences, less its headings."""
    lines = (line.strip().removeprefix("- ") for line in POLICY.splitlines())
    text = [line for line in lines if line and not re.match(r"\d+\. ", line)]
    return [each for line in text for each in re.split(r"(?<=\.)\s+(?=[A-Z])", line)]


def test_every_sentence_of_the_policy_is_on_the_page_and_no_other() -> None:
    promised = [each.sentence for each in PROMISES]
    assert Counter(promised) == Counter(sentences())
    assert promised == sentences(), "and in its order"
    assert len(promised) > 30


def test_the_page_has_the_headings_of_the_policy_and_nothing_that_is_not_read() -> None:
    headings = re.findall(r"^(\d+\. .+)$", POLICY, re.MULTILINE)
    rest = ENTRY.sub("", PAGE[PAGE.index("\n> ") + 1 :])
    assert [line.removeprefix("## ") for line in rest.splitlines() if line] == headings


def test_every_sentence_has_what_does_it_and_what_proves_it() -> None:
    wrong = [each for each in PROMISES if len(each.code) != 1 or not each.tests or each.others]
    assert wrong == []


def test_what_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:functions|infra|docs)/[\w/.]+)`", " ".join(each.code[0] for each in PROMISES))
    assert len(named) > 30
    assert [path for path in named if not Path(path).is_file()] == []


@pytest.mark.parametrize("test", sorted(set(re.findall(r"`(tests/[\w/.]+::\w+)`", PAGE))))
def test_every_test_that_the_page_names_is_one_that_is_run(test: str) -> None:
    path, name = test.split("::")
    tree = ast.parse(Path(path).read_text())
    (found,) = (each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == name)
    marks = " ".join(map(ast.unparse, found.decorator_list))
    assert "soak" not in marks
    assert "skip" not in marks
    assert "pytestmark" not in {
        target.id
        for each in tree.body
        if isinstance(each, ast.Assign)
        for target in each.targets
        if isinstance(target, ast.Name)
    }


def test_every_proof_is_a_name_of_a_test() -> None:
    """Nothing but names: text that is not read as a name would not be looked up."""
    for each in PROMISES:
        for proof in each.tests:
            assert re.fullmatch(r"`tests/[\w/.]+::test_\w+`", proof), each.sentence


def test_logs_are_read_for_their_owner_and_for_upkeep_only() -> None:
    """A module that comes to read the table of logs has to say here for whom."""
    reading = {
        path.as_posix()
        for path in Path("functions").rglob("*.py")
        if re.search(r"\b(FROM|JOIN) \{?(events|table|rows\.source)\b", path.read_text())
    }
    assert reading == READS_EVENTS.keys()


def test_our_code_reaches_no_party_that_the_policy_does_not_name() -> None:
    """AWS, Stripe, our ClickHouse, customers' own clouds: no library of another party, and no address."""
    sources = {path: path.read_text() for path in Path("functions").rglob("*.py")}
    packages = {
        name.split(".")[0]
        for text in sources.values()
        for node in ast.walk(ast.parse(text))
        for name in _imported(node)
    }
    assert packages - sys.stdlib_module_names - {"functions"} <= LIBRARIES
    called = {name for text in sources.values() for name in re.findall(r'client\(\s*"([\w-]+)"', text)}
    assert called <= AWS_SERVICES
    hosts = {
        host
        for text in sources.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for host in re.findall(r"https?://([\w.-]+\w)", str(node.value.value))
    }
    assert hosts <= {"api.stripe.com"}


def test_rights_are_routes_for_every_account() -> None:
    routes = {f"{route.method} {route.path}": route for each in FUNCTIONS for route in each.routes}
    for right in ("POST /v1/account/export", "POST /v1/erasures", "DELETE /v1/account", "PATCH /v1/account"):
        assert routes[right].auth, right
    assert not routes["POST /v1/unsubscribe/{token}"].auth, "one click, and no key"


def test_a_letter_to_the_address_of_the_policy_has_a_page_that_says_what_to_do() -> None:
    (address,) = set(re.findall(r"[\w.]+@[\w.]+\w", POLICY))
    page = Path("docs/operations.md").read_text()
    letter = page[page.index('<a id="privacy"></a>') :].partition("\n\n")[0]
    assert address in letter
    for way in ("POST /v1/account/export", "DELETE /v1/account", "POST /v1/erasures", "marketing"):
        assert way in letter


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
