"""The parts of the rehearsal of an upgrade that need no emulator."""

import zipfile
from pathlib import Path

import pytest

from functions.shared.schema.migration_files import migrations
from rehearsal.customer import Customer
from rehearsal.upgrade.broken_migration import SCHEMA, with_broken_migration
from rehearsal.upgrade.identities import Identity, replaced
from rehearsal.upgrade.load import ACCEPTED, EVENTS, Load

KEYS = Identity("keystable1", "AWS::DynamoDB::Table", "AstraLogData-keys-1")
STAGING = Identity("stagingbucket1", "AWS::S3::Bucket", "astralogdata-staging-1")


def test_the_same_resources_are_not_replaced_and_new_ones_are_no_fault() -> None:
    new = Identity("turnstable1", "AWS::DynamoDB::Table", "AstraLogData-turns-1")

    assert replaced([KEYS, STAGING], [new, STAGING, KEYS]) == []


def test_a_resource_with_another_physical_id_is_replaced_and_a_missing_one_is_gone() -> None:
    other = Identity(KEYS.logical_id, KEYS.kind, "AstraLogData-keys-2")

    assert replaced([KEYS, STAGING], [other]) == [
        "AWS::DynamoDB::Table keystable1 was AstraLogData-keys-1, and is AstraLogData-keys-2",
        "AWS::S3::Bucket stagingbucket1 was astralogdata-staging-1, and is gone",
    ]


def test_the_broken_migration_has_the_next_number_and_only_migrate_has_it(tmp_path: Path) -> None:
    zips = tmp_path / "zips"
    zips.mkdir()
    known = migrations()
    for folder in ("migrate", "sync"):
        with zipfile.ZipFile(zips / f"{folder}.zip", "w") as packed:
            for each in known:
                packed.writestr(f"{SCHEMA}{each.name}.sql", each.statement)

    broken = with_broken_migration(zips, tmp_path / "broken")

    with zipfile.ZipFile(broken / "migrate.zip") as packed:
        packed.extractall(tmp_path / "unpacked")
    found = migrations(tmp_path / "unpacked" / SCHEMA)
    assert [each.name for each in found[:-1]] == [each.name for each in known]
    assert found[-1].name == f"{len(known) + 1:04}_broken"
    assert (broken / "sync.zip").read_bytes() == (zips / "sync.zip").read_bytes()
    with zipfile.ZipFile(zips / "migrate.zip") as packed:
        assert len(packed.namelist()) == len(known)


class FlakyApi:
    """Answers with `statuses` in turn, then accepts; remembers the keys of the requests."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.keys: list[tuple[str, str]] = []

    def ask(self, _route: str, token: str, _body: object, headers: dict[str, str]) -> "FlakyApi":
        self.keys.append((token, headers["Idempotency-Key"]))
        self.status = self._statuses.pop(0) if self._statuses else ACCEPTED
        return self


def sender(api: FlakyApi, name: str) -> Customer:
    customer = Customer(api, None, name)  # type: ignore[arg-type]  # only `ask` is used
    customer.key = name
    return customer


def test_a_batch_is_sent_again_with_its_key_until_it_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rehearsal.upgrade.load.PAUSE_SECONDS", 0)
    ada_api = FlakyApi(503, 500)
    ada = sender(ada_api, "ada")

    with Load(ada_api, [ada], EVENTS) as load:  # type: ignore[arg-type]  # as above
        pass

    assert len(set(ada_api.keys[:3])) == 1
    assert len(ada.sent) == load.rows == len(set(ada.sent))
    assert load.sent[0].statuses["503"] == load.sent[0].statuses["500"] == 1


def test_each_of_two_customers_sends_its_share() -> None:
    api = FlakyApi()
    customers = [sender(api, name) for name in ("ada", "bob")]

    with Load(api, customers, 4 * EVENTS) as load:  # type: ignore[arg-type]  # as above
        pass

    assert all(each.rows >= 2 * EVENTS for each in load.sent)
    assert not set(customers[0].sent) & set(customers[1].sent)
    assert {token for token, _ in api.keys} == {"ada", "bob"}
