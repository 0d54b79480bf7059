"""The steps of docs/deployment.md, by the very lines that it shows, where a deployment is already there."""

import json
import os
import re
import subprocess
import sys

from local.naming import PROJECT_ROOT, aws_variables, physical
from tests.integration.stack import RunningStack

PAGE = (PROJECT_ROOT / "docs" / "deployment.md").read_text()
RUN = ("4. Store the secrets", "6. Connect Stripe", "7. Create the first account", "8. Send the first log")
"""The other steps choose, install and deploy: `make up` has done that."""


def test_from_the_secrets_to_the_first_log(stack: RunningStack) -> None:
    blocks = [step.partition("```sh\n")[2].partition("```")[0] for step in map(section, RUN)]

    ran = subprocess.run(
        ["bash", "-euc", "\n".join(blocks)],
        cwd=PROJECT_ROOT,
        env={**os.environ, **aws_variables(stack.aws_endpoint), **chosen(stack)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    names = [physical(name) for name in ("warehouse", "search", "stripe")]
    assert ran.stdout.splitlines()[:4] == [
        *(f"replaced {name}" for name in names),
        f"{stack.api}/v1/stripe/webhook",
    ]
    assert "The account my-servers has the plan managed_30. Its key, shown only now:" in ran.stderr
    assert '"accepted": 1' in ran.stdout
    result = json.loads(ran.stdout[ran.stdout.rindex('{"events"') :])
    assert [event["message"] for event in result["events"]] == ["hello"]


def section(step: str) -> str:
    return PAGE[PAGE.index(f"## {step}") :]


def chosen(stack: RunningStack) -> dict[str, str]:
    """The variables of step 1; each secret keeps the value that the stack has."""
    values = {
        name: json.loads(
            stack.aws("secretsmanager").get_secret_value(SecretId=physical(name))["SecretString"]
        )
        for name in ("warehouse", "search", "stripe")
    }
    step = section("1. Choose").partition("```sh\n")[2].partition("```")[0]
    variables = {
        "STAGE": "",
        "OPERATE": f"{sys.executable} -m operate",
        "CLICKHOUSE_HOST": values["warehouse"]["host"],
        "CLICKHOUSE_PORT": str(values["warehouse"]["port"]),
        "CLICKHOUSE_SECURE": json.dumps(values["warehouse"]["secure"]),
        "CLICKHOUSE_DATABASE": values["warehouse"]["database"],
        "CLICKHOUSE_USER": values["warehouse"]["user"],
        "CLICKHOUSE_PASSWORD": values["warehouse"]["password"],
        "SEARCH_USER": values["search"]["user"],
        "SEARCH_PASSWORD": values["search"]["password"],
        "STRIPE_KEY": values["stripe"]["api_key"],
        "STRIPE_WEBHOOK_SECRET": values["stripe"]["webhook_secret"],
    }
    assert variables.keys() | {"AWS_REGION", "AWS_DEFAULT_REGION", "CDK"} == set(
        re.findall(r"(?:^export|[ ])([A-Z_]+)=", step, re.MULTILINE)
    )
    return variables
