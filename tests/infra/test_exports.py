"""An upgrade never deletes or changes an export of the data stack: the deployed compute stack imports it."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.choices import from_context
from tests.infra.synthesized import Templates

LIST = Path(__file__).parent / "exports.json"
RELEASED: dict[str, Any] = json.loads(LIST.read_text())
"""Name without the stack -> value. A new export joins the list. One that nothing imports any more stays for
a release, and leaves the list and `Stores.exported` in the next."""


def exports_of(template: dict[str, Any], stack: str = "AstraLogData") -> dict[str, Any]:
    return {
        each["Export"]["Name"].removeprefix(f"{stack}:"): each["Value"]
        for each in template["Outputs"].values()
        if "Export" in each
    }


def test_what_is_exported_is_what_was_released(templates: Templates) -> None:
    assert exports_of(templates.data) == RELEASED, f"see the comment in {LIST.with_name('test_exports.py')}"


def test_no_export_depends_on_what_the_compute_stack_uses() -> None:
    """Else a function that stops using a table deletes the export that its deployed version imports."""
    from aws_cdk import App  # CDK takes seconds to import: only where it is used

    from infra.data_stack import DataStack

    app = App()
    DataStack(app, "AstraLogData", from_context({}.get))

    assert exports_of(app.synth().get_stack_by_name("AstraLogData").template) == RELEASED


@pytest.mark.parametrize("stage", ["", "prod"])
def test_what_the_compute_stack_imports_is_exported_by_the_data_stack_of_its_stage(
    staged: dict[str, Templates], stage: str
) -> None:
    chosen = staged[stage]
    exported = {each["Export"]["Name"] for each in chosen.data["Outputs"].values() if "Export" in each}
    imported = set(_imports(chosen.compute))

    assert imported
    assert imported <= exported


def _imports(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["Fn::ImportValue"]] if "Fn::ImportValue" in node else []
        return own + [found for each in node.values() for found in _imports(each)]
    return [found for each in node for found in _imports(each)] if isinstance(node, list) else []
