"""One deployed installation: the names of its resources, read from the outputs of its stacks."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from infra.topology import StageNames
from operate.errors import OperatorError

_MISSING = "does not exist"


class Installation:
    """The installation of a stage in a region.

    Parameters
    ----------
    cloudformation: a boto3 client, or its methods that are used here.
    replaced: outputs that have another value for this run, such as the name of a restored table.
    """

    def __init__(
        self, names: StageNames, region: str, cloudformation: Any, replaced: Mapping[str, str] | None = None
    ) -> None:
        self.names = names
        self._replaced = replaced or {}
        self.region = region
        self.cloudformation = cloudformation

    def __str__(self) -> str:
        stage = f"stage {self.names.stage}" if self.names.stage else "the default stage"
        return f"{stage} in {self.region}"

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Name -> value of each output of the data stack.

        Raises
        ------
        OperatorError: there is no such stack, or CloudFormation rejects the call.
        """
        found = self.outputs_of(self.names.data_stack)
        if unknown := sorted(self._replaced.keys() - found.keys()):
            raise OperatorError(f"--output: the stack {self.names.data_stack} has no output {unknown[0]}.")
        return {**found, **self._replaced}

    def output(self, name: str) -> str:
        """The value of one output; OperatorError also where a deployed version does not have it yet."""
        if name not in self.outputs:
            raise OperatorError(
                f"The stack {self.names.data_stack} has no output {name}: an older version is deployed. "
                "Run `make deploy`."
            )
        return self.outputs[name]

    def outputs_of(self, stack: str) -> dict[str, str]:
        """The outputs of a stack, without exports for other stacks."""
        found = self.stack(stack)
        if found is None:
            raise OperatorError(
                f"There is no stack {stack} in {self.region}. Check --stage, --region and the AWS account. "
                "To deploy it, follow docs/deployment.md."
            )
        return {
            each["OutputKey"]: each["OutputValue"]
            for each in found.get("Outputs", ())
            if "ExportName" not in each
        }

    def stack(self, name: str) -> dict[str, Any] | None:
        """CloudFormation's description of a stack; None if there is none."""
        try:
            found: dict[str, Any] = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as fault:
            if _MISSING in fault.response["Error"].get("Message", ""):
                return None
            raise _failed(fault) from None
        except BotoCoreError as fault:
            raise _failed(fault) from None
        return found

    def ask(self, call: Callable[[], Any]) -> Any:
        """The answer of `call`, a call of AWS; raises OperatorError with AWS's reason."""
        try:
            return call()
        except (ClientError, BotoCoreError) as fault:
            raise _failed(fault) from None


def _failed(fault: ClientError | BotoCoreError) -> OperatorError:
    if isinstance(fault, ClientError):
        error = fault.response["Error"]
        return OperatorError(f"AWS rejected the call: {error.get('Code')}: {error.get('Message')}")
    if isinstance(fault, EndpointConnectionError):
        return OperatorError(f"AWS does not answer: {fault} Check --region and --endpoint-url.")
    return OperatorError(f"AWS: {fault}")
