"""The shell commands of docs/deployment.md, in order and as written, against the emulator.

Step 3 creates users in ClickHouse, which the embedded engine does not have: the site's are there already.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from local.naming import PROJECT_ROOT
from rehearsal.deployment import DeploymentError, synthesize_for
from rehearsal.site import DATABASE, SEARCH_USER, WAREHOUSE_USER, Site, aws_variables

PAGE = PROJECT_ROOT / "docs" / "deployment.md"
CHOOSE = "1. Choose"
STEPS = (
    CHOOSE,
    "2. Install the tools",
    "4. Store the secrets",
    "5. Deploy",
    "6. Connect Stripe",
    "7. Create the first account",
    "8. Send the first log",
)
EXPECTED = (
    "created astralog/warehouse\ncreated astralog/search\ncreated astralog/stripe\n",
    "/v1/stripe/webhook\n",
    "The account my-servers has the plan managed_30. Its key, shown only now:",
    '{"status": "accepted", "accepted": 1, "rejected": 0, "errors": []}',
    '"message":"hello"',
)
"""What the page says that the commands print."""

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> dict[str, list[str]]:
    """Heading of a section -> its shell blocks."""
    parts = _HEADING.split(page)[1:]
    return {heading: _BLOCK.findall(text) for heading, text in zip(parts[::2], parts[1::2], strict=True)}


def script(page: str, chosen: dict[str, str]) -> str:
    """All steps as one script, in one shell as the page says; after step 1 the values of `chosen`.

    Raises
    ------
    DeploymentError: a step has no commands, or `chosen` has a variable that step 1 does not set.
    """
    found = blocks(page)
    missing = [step for step in STEPS if not found.get(step)]
    if missing:
        raise DeploymentError(f"docs/deployment.md has no shell block in: {', '.join(missing)}")
    first = "".join(found[CHOOSE])
    unknown = [name for name in chosen if not re.search(rf"\b{name}=", first)]
    if unknown:
        raise DeploymentError(f"step 1 of docs/deployment.md does not set {', '.join(unknown)}")
    exports = [f"export {name}={shlex.quote(value)}" for name, value in chosen.items()]
    rest = ["".join(found[step]) for step in STEPS[1:]]
    return "\n".join(["set -euo pipefail", first, *exports, *rest])


def chosen_for(site: Site) -> dict[str, str]:
    """The variables of step 1 that differ here: addresses, passwords, and options of CDK."""
    address = site.clickhouse_address(WAREHOUSE_USER)
    app = f"{sys.executable} -m rehearsal.documented {site.root / 'site.json'}"
    return {
        "AWS_REGION": aws_variables(site)["AWS_REGION"],
        "AWS_DEFAULT_REGION": aws_variables(site)["AWS_REGION"],
        "CDK": f"--app {shlex.quote(app)} --output {site.assembly} --require-approval never --no-color",
        "CLICKHOUSE_HOST": address["host"],
        "CLICKHOUSE_PORT": str(address["port"]),
        "CLICKHOUSE_SECURE": json.dumps(address["secure"]),
        "CLICKHOUSE_DATABASE": DATABASE,
        "CLICKHOUSE_USER": WAREHOUSE_USER,
        "CLICKHOUSE_PASSWORD": site.warehouse_password,
        "SEARCH_USER": SEARCH_USER,
        "SEARCH_PASSWORD": site.search_password,
        "STRIPE_KEY": site.stripe_key,
        "STRIPE_WEBHOOK_SECRET": site.webhook_secret,
    }


def deploy_as_documented(site: Site, zips: Path) -> str:
    """Run the steps; their output.

    Raises
    ------
    DeploymentError: a command failed.
    """
    ports = (site.emulator_port, site.proxy_port, site.clickhouse_port, site.stripe_port)
    (site.root / "site.json").write_text(json.dumps([str(zips), str(site.root), *ports]))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ended = subprocess.run(
        ["bash", "-c", script(PAGE.read_text(), chosen_for(site))],
        env={**kept, **aws_variables(site), "CI": "true", "NO_COLOR": "1"},
        cwd=PROJECT_ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    output = ended.stdout + ended.stderr
    if ended.returncode:
        raise DeploymentError(f"a command of docs/deployment.md failed:\n{output[-3000:]}")
    missing = [each for each in EXPECTED if each not in output]
    if missing:
        raise DeploymentError(
            f"the commands of docs/deployment.md did not print {missing}:\n{output[-3000:]}"
        )
    return output


def write_assembly(saved: Path) -> None:
    """What `infra.app` does, for this machine and with the substitutions, with the context of CDK.

    `saved`: the file that `deploy_as_documented` wrote.
    """
    zips, root, *ports = json.loads(saved.read_text())
    synthesize_for(Site(Path(root), *ports), Path(zips))


if __name__ == "__main__":
    write_assembly(Path(sys.argv[1]))
