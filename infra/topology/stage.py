"""Names that distinguish the installations in one AWS account and region: each has a stage of its own."""

import re
from dataclasses import dataclass

_STAGE = re.compile(r"[a-z][a-z0-9]{0,11}")


@dataclass(frozen=True, slots=True)
class StageNames:
    """The fixed names of one installation; CloudFormation generates all others from the stacks' names.

    `stage`: 1 to 12 lower-case letters and digits, so that a bucket's generated name is not cut. Empty for
    the default installation, whose names have no stage in them.

    Raises
    ------
    ValueError: the stage has another form.
    """

    stage: str = ""

    def __post_init__(self) -> None:
        if self.stage and not _STAGE.fullmatch(self.stage):
            raise ValueError("a stage is 1 to 12 characters of a-z and 0-9, the first one a letter")

    @property
    def data_stack(self) -> str:
        return self.stack("Data")

    @property
    def compute_stack(self) -> str:
        return self.stack("Compute")

    @property
    def stacks(self) -> tuple[str, ...]:
        """All stacks of the installation, in the order in which they can be deleted."""
        return (self.compute_stack, self.data_stack)

    @property
    def title(self) -> str:
        """For people: names of the API and of the alarm topic."""
        return f"AstraLog {self.stage}".rstrip()

    @property
    def metrics_namespace(self) -> str:
        """CloudWatch namespace of the functions' own metrics."""
        return f"AstraLog/{self.stage}".rstrip("/")

    def secret(self, name: str) -> str:
        """The name in Secrets Manager of a secret of the topology."""
        return f"astralog/{self.stage}/{name}" if self.stage else f"astralog/{name}"

    def stack(self, kind: str) -> str:
        """The name of a stack: `Data` is AstraLogData, or AstraLog-<stage>-Data."""
        return f"AstraLog-{self.stage}-{kind}" if self.stage else f"AstraLog{kind}"
