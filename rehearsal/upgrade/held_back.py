"""Work that the old version accepts and the new one has to finish."""

from collections.abc import Sequence

from rehearsal.api_client import wait_for
from rehearsal.cloud import Cloud


class HeldBack:
    """The event source mappings of `functions`: disabled, their messages wait in the queues."""

    def __init__(self, cloud: Cloud, functions: Sequence[str]) -> None:
        self._client = cloud.client("lambda")
        names = {cloud.functions[each]["FunctionName"] for each in functions}
        self._ids = [
            each["UUID"]
            for each in self._client.list_event_source_mappings()["EventSourceMappings"]
            if each["FunctionArn"].rpartition(":")[2] in names
        ]

    def hold(self) -> None:
        """Disable the mappings, and return once they are."""
        self._set(enabled=False)

    def release(self) -> None:
        """Enable them again."""
        self._set(enabled=True)

    def _set(self, *, enabled: bool) -> None:
        wanted = "Enabled" if enabled else "Disabled"
        for each in self._ids:
            self._client.update_event_source_mapping(UUID=each, Enabled=enabled)
        for each in self._ids:
            wait_for(f"a mapping is {wanted}", lambda one=each: self._state(one) == wanted)  # type: ignore[misc]

    def _state(self, mapping: str) -> str:
        return str(self._client.get_event_source_mapping(UUID=mapping)["State"])
