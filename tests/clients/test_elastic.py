"""The clients of Elasticsearch and OpenSearch, unmodified: each document has its own result."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.programs import ROOT, blocks_of, run_node, run_page, run_python
from tests.clients.rows import accounts, columns, new_run, of_message, stored
from tests.integration.stack import RunningStack

LOGHUB = Path(os.environ.get("LOGHUB", ROOT.parent / "shared" / "data" / "loghub"))
RSYSLOGD = shutil.which("rsyslogd", path=f"{os.environ['PATH']}:/usr/sbin")
COUNT = 10_000
BAD = COUNT // 1000


@pytest.mark.parametrize("helper", ["bulk", "streaming_bulk"])
@pytest.mark.parametrize("client", ["elasticsearch", "opensearch"])
def test_of_ten_thousand_documents_one_in_a_thousand_is_bad(
    stack: RunningStack, client: str, helper: str
) -> None:
    run = new_run(client)
    found = run_python(
        f"{client}_bulk", URL=stack.api, KEY=stack.keys["ingest"], RUN=run, COUNT=str(COUNT), HELPER=helper
    )
    assert found["good"] == COUNT - BAD
    assert [each["status"] for each in found["failed"]] == [400] * BAD
    assert {each["error"]["type"] for each in found["failed"]} == {"document_parsing_exception"}
    rows = stored(stack, run, COUNT - BAD)
    assert [int(row["event_id"]) for row in rows] == [each for each in range(COUNT) if each % 1000 != 7]
    assert {row["message"] for row in rows} >= {"line 0", f"line {COUNT - 1}"}
    assert {(row["tenant_id"], row["service"], row["level"], row["timestamp"]) for row in rows} == {
        ("acme", "logs-shop", "warn", "2026-11-29 10:00:00.123456789")
    }
    assert {json.loads(row["metadata"])["_index"] for row in rows} == {"logs-shop-2026.11.29"}


def test_pino_elasticsearch_loses_and_doubles_nothing(stack: RunningStack) -> None:
    for tenant, key in accounts(stack):
        run = new_run(f"pino-elasticsearch-{tenant}")
        found = run_node("pino_elasticsearch", URL=stack.api, KEY=key, RUN=run, COUNT="1000")
        assert found == {"errors": ""}
        rows = stored(stack, run, 1000)
        assert [(row["event_id"], row["message"]) for row in rows] == [
            (str(number), f"line {number}") for number in range(1000)
        ]
        assert columns(rows) == {(tenant, "shop", "warn")}


def test_the_program_of_the_page_stores_its_document(stack: RunningStack, tmp_path: Path) -> None:
    for _, key in accounts(stack):
        run_page("elasticsearch", "python", tmp_path, ASTRALOG_URL=stack.api, ASTRALOG_KEY=key)
    assert sorted(of_message(stack, "the disk fills up")) == [
        (tenant, "shop", "warn", {"_index": "shop"}) for tenant, _ in accounts(stack)
    ]


@pytest.mark.skipif(RSYSLOGD is None, reason="needs the packages rsyslog and rsyslog-elasticsearch")
def test_rsyslog_ships_a_file(stack: RunningStack, tmp_path: Path) -> None:
    sent = _lines()
    (tmp_path / "shipped.log").write_text("".join(f"{line}\n" for line in sent))
    run = new_run("rsyslog")
    (tmp_path / "rsyslog.conf").write_text(rsyslog_configuration(tmp_path, run, stack))
    command = [str(RSYSLOGD), "-n", "-f", str(tmp_path / "rsyslog.conf"), "-i", str(tmp_path / "pid")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        rows = stored(stack, run, len(sent))
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert sorted(row["message"] for row in rows) == sorted(sent)
    assert columns(rows) == {("acme", "sshd", "info")}
    assert not (tmp_path / "failed.json").exists()


def rsyslog_configuration(folder: Path, run: str, stack: RunningStack) -> str:
    """That of the page, for this endpoint and a file, with the run as a field of each event."""
    page = blocks_of("rsyslog", "")[0]
    template = 'template(name="astralog" type="list" option.jsonf="on") {\n'
    values = {
        "YOUR-ENDPOINT": "127.0.0.1",
        'serverport="443" usehttps="on"': f'serverport="{stack.api.rpartition(":")[2]}" usehttps="off"',
        "YOUR-KEY": stack.keys["ingest"],
        "/var/log/astralog-rejected.json": f"{folder}/failed.json",
        template: f'{template}  constant(outname="run" value="{run}" format="jsonf")\n',
    }
    for text, value in values.items():
        assert text in page
        page = page.replace(text, value)
    return (
        f'global(workDirectory="{folder}")\nmodule(load="imfile" mode="polling" pollingInterval="1")\n'
        f"{page}\n"
        f'input(type="imfile" file="{folder}/shipped.log" tag="sshd:" severity="info")\n'
    )


def _lines() -> list[str]:
    """Two thousand lines of a real sshd, where the checkout has them; else lines of the same form."""
    file = LOGHUB / "OpenSSH_2k.log"
    if file.exists():
        return file.read_text().splitlines()
    return [
        f'Dec 10 06:55:46 host sshd[{number}]: Invalid user "a\\b" from 10.0.0.1' for number in range(2000)
    ]
