"""A synthesized cloud assembly: its templates, its constructs' paths, its acceptances, cdk-nag's findings."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from audit.findings import Acceptance, Finding
from infra.accepted import METADATA

NAG_REPORT = "validation-report.json"


@dataclass(frozen=True)
class Assembly:
    """The folder that `infra.app.synthesize` wrote."""

    folder: Path

    @cached_property
    def templates(self) -> dict[Path, str]:
        """Template -> the name of its stack."""
        return {self.folder / each["properties"]["templateFile"]: name for name, each in self._stacks()}

    @cached_property
    def paths(self) -> dict[tuple[str, str], str]:
        """(stack, logical id) -> the path of the construct."""
        return {
            (stack, str(entry["data"])): path
            for stack, path, entry in self._entries()
            if entry["type"] == "aws:cdk:logicalId"
        }

    def acceptances(self) -> list[Acceptance]:
        """What the constructs accept."""
        return [
            Acceptance(path, tuple(entry["data"]["rules"]), entry["data"]["reason"])
            for _, path, entry in self._entries()
            if entry["type"] == METADATA
        ]

    def nag_findings(self) -> list[Finding]:
        """What cdk-nag wrote while the app was synthesized."""
        return [
            Finding("cdk-nag", violation["ruleName"], f"/{where['constructPath']}", violation["description"])
            for report in self._read(NAG_REPORT)["pluginReports"]
            for violation in report["violations"]
            for where in violation["violatingConstructs"]
        ]

    def _stacks(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, artifact in self._read("manifest.json")["artifacts"].items():
            if artifact["type"] == "aws:cloudformation:stack":
                yield name, artifact

    def _entries(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for name, artifact in self._stacks():
            for path, entries in self._read(artifact["additionalMetadataFile"]).items():
                for entry in entries:
                    yield name, path, entry

    def _read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())
