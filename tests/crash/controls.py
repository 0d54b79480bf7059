"""Two ways that look right and are not, so that the matrix shows that it detects them.

They are test code only, and the suite fails when they stop failing.
"""

from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import uuid4

import boto3

from functions.shared.errors import RetryableError
from functions.shared.warehouse import Warehouse
from functions.sync.batch_processor import Deadline
from functions.sync.ledger import Batch
from functions.sync.notifications import StagedObject
from functions.sync.plan import Manifest
from tests.crash.faults import Trap, TrappedLoader, TrappedStaged, Zombie
from tests.crash.world import EXPIRES_ON, TABLE, World

POINTS = ("fetch", "before insert", "answer lost", "before done", "half the deletes")
"""The steps that these have too."""


class TokenFromGrouping:
    """A deduplication token made from whatever SQS put into one delivery."""

    def __init__(self, world: World, warehouse: Warehouse, trap: Trap, zombie: Zombie) -> None:
        self._trap = trap
        self._staged = TrappedStaged(world.bucket, trap)
        self._loader = TrappedLoader(warehouse, trap, zombie)

    def settle(self, objects: Iterable[StagedObject], _time_given: Deadline) -> set[str]:
        group = sorted({each.key: each for each in objects}.values(), key=lambda each: each.key)
        return self._load(group)

    def _load(self, group: list[StagedObject]) -> set[str]:
        fetched = self._staged.fetch(tuple(group))
        present = tuple(each for each in group if each.key not in fetched.gone)
        try:
            if present:
                self._loader.insert(_batch(present, self._token(present)), fetched.frames)
        except RetryableError:
            return set()
        self._trap.crash_at("before done")
        self._remember(present)
        self._staged.delete(present)
        return {each.key for each in group}

    def _token(self, group: tuple[StagedObject, ...]) -> str:
        return sha256("".join(each.key for each in group).encode()).hexdigest()[:32]

    def _remember(self, group: tuple[StagedObject, ...]) -> None:
        """Nothing is written down: the token is thought to be enough."""


class RecordPerObject(TokenFromGrouping):
    """A record "loaded" for each object, written once its insert has succeeded; no token beside it."""

    def __init__(self, world: World, warehouse: Warehouse, trap: Trap, zombie: Zombie) -> None:
        super().__init__(world, warehouse, trap, zombie)
        self._table = _table()

    def settle(self, objects: Iterable[StagedObject], _time_given: Deadline) -> set[str]:
        group = sorted({each.key: each for each in objects}.values(), key=lambda each: each.key)
        loaded = [each for each in group if self._table.get_item(Key={"entry": each.key}).get("Item")]
        self._staged.delete(loaded)
        left = [each for each in group if each not in loaded]
        return {each.key for each in loaded} | (self._load(left) if left else set())

    def _token(self, _group: tuple[StagedObject, ...]) -> str:
        return uuid4().hex

    def _remember(self, group: tuple[StagedObject, ...]) -> None:
        for each in group:
            self._table.put_item(Item={"entry": each.key})


@cache
def _table() -> Any:
    """One for all processes that die: it takes longer to make than a run."""
    return boto3.resource("dynamodb", region_name="us-east-1").Table(TABLE)


def _batch(members: tuple[StagedObject, ...], token: str) -> Batch:
    return Batch(Manifest("managed", EXPIRES_ON, members), token, "sealed", members)
