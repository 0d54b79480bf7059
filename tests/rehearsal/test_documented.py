"""The script that a rehearsal makes of docs/deployment.md."""

import pytest

from rehearsal.deployment import DeploymentError
from rehearsal.documented import EXPECTED, PAGE, STEPS, blocks, script

TEXT = PAGE.read_text()


def test_all_commands_of_the_steps_are_run_in_order_and_as_written() -> None:
    found = script(TEXT, {"STAGE": "it's"})

    at = -1
    for step in STEPS:
        for block in blocks(TEXT)[step]:
            assert found.index(block) > at
            at = found.index(block)
    for command in (
        "make setup",
        "npm ci",
        "make bootstrap",
        "make deploy",
        "put-secret stripe",
        "/v1/search",
    ):
        assert command in found


def test_the_chosen_values_replace_those_of_step_1_only() -> None:
    lines = script(TEXT, {"STAGE": "it's"}).splitlines()

    replaced = lines.index("export STAGE='it'\"'\"'s'")
    assert (
        lines.index("export STRIPE_KEY=rk_test_replace STRIPE_WEBHOOK_SECRET=whsec_replace_after_step_6")
        < replaced
    )
    assert replaced < lines.index("make setup")


def test_a_variable_that_step_1_does_not_set_is_an_error() -> None:
    with pytest.raises(DeploymentError, match="NOT_THERE"):
        script(TEXT, {"NOT_THERE": "x"})


def test_a_step_without_commands_is_an_error() -> None:
    with pytest.raises(DeploymentError, match=r"5\. Deploy"):
        script(TEXT.replace("## 5. Deploy\n", "## 5. Install\n"), {})


def test_the_page_itself_says_what_the_commands_print() -> None:
    for expected in EXPECTED:
        assert expected.strip() in TEXT
