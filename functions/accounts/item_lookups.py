"""What the authorizer reads and writes of the tables, without pynamodb: keys, accounts, people, failures.

functions.accounts.directory and functions.accounts.people read the same items for all other functions;
tests/contract/test_signed_client.py compares what both make of an item.
"""

from contextlib import suppress

from functions.accounts.account import Account
from functions.accounts.person import Person
from functions.accounts.stored_key import SECONDS_AN_HOUR, Key
from functions.shared.accounts.account_status import QUOTA_EXCEEDED, AccountStatus
from functions.shared.accounts.retention_terms import RetentionStep, RetentionTerms, days_of_status
from functions.shared.tables.plain import PlainItem
from functions.shared.tables.signed_client import HASTY_SECONDS, SignedClient
from functions.shared.tables.signed_table import SignedTable
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tenancy import TenantId


class ItemLookups:
    """Keys, accounts and people, by strongly consistent reads.

    Every method raises StoreUnavailableError when DynamoDB fails.
    """

    def __init__(self, client: SignedClient, accounts_table: str, keys_table: str, people_table: str) -> None:
        self._accounts = SignedTable(client, accounts_table, "tenant_id")
        self._keys = SignedTable(client, keys_table, "key_hash")
        self._people = SignedTable(client, people_table, "subject")

    def key(self, key_hash: str) -> Key | None:
        """The key stored under `key_hash`, or None; it may have expired or been revoked."""
        item = self._keys.get(key_hash)
        return None if item is None else key_of(item)

    def account(self, tenant: TenantId) -> Account | None:
        """The account of `tenant`, or None; also None once the account's erasure is in progress."""
        item = self._accounts.get(tenant)
        return None if item is None or item.get("closed") else account_of(item)

    def get(self, subject: str, now: float) -> Person | None:
        """The person, or None for an unknown subject or an unconfirmed person past retention."""
        item = self._people.get(subject)
        if item is None:
            return None
        person = person_of(item)
        past_retention = person.forget_at is not None and person.forget_at <= now
        return None if past_retention else person

    def note_use(self, key_hash: str, now: int) -> None:
        """Record that the key was used in this hour; an item that was deleted is not recreated."""
        with suppress(ConditionFailedError):
            self._keys.set_number(key_hash, "last_used_hour", now // SECONDS_AN_HOUR)


class SignedCounter:
    """Counts failures in the table of attempts; see functions.accounts.failures.SharedCounter.

    It connects with the first failure, and waits for a third of a second, once.
    """

    def __init__(self, attempts_table: str) -> None:
        self._attempts = SignedTable(SignedClient(HASTY_SECONDS, tries=1), attempts_table, "counter")

    def add(self, counter: str, forget_at: int) -> int:
        """The count of `counter`, this failure included."""
        return self._attempts.add_one(counter, "tries", forget_at)


def key_of(item: PlainItem) -> Key:
    """The key in an item of the table of keys; attributes that older items lack get their defaults."""
    return Key(
        tenant=TenantId(item["tenant_id"]),
        key_id=item["key_id"],
        scopes=frozenset(item.get("scopes", ())),
        project_id=item["project_id"],
        expires_at=item.get("expires_at"),
        name=item.get("name") or "",
        created_at=item.get("created_at"),
        revoked_at=item.get("revoked_at"),
        successor=item.get("successor") or "",
        shown_prefix=item.get("shown_prefix") or "",
        last_used_hour=item.get("last_used_hour"),
    )


def account_of(item: PlainItem) -> Account:
    """The account in an item of the table of accounts."""
    status = AccountStatus(
        plan=item["plan"],
        retention_days=item["retention_days"],
        bytes_per_second=item["bytes_per_second"],
        accepts_until=item.get("accepts_until"),
        end_reason=item.get("end_reason") or "",
        capped_until=item.get("capped_until"),
        cap_left_bytes=item.get("cap_left_bytes"),
        cap_left_until=item.get("cap_left_until"),
        cap_reason=item.get("cap_reason") or QUOTA_EXCEEDED,
    )
    steps = tuple(RetentionStep(each["since"], each["days"]) for each in item.get("retention_steps") or ())
    return Account(
        tenant=TenantId(item["tenant_id"]),
        account_status=status,
        owner=item.get("owner") or "",
        created_at=item.get("created_at"),
        closes_at=item.get("closes_at"),
        managed_until=RetentionTerms(days_of_status(status), steps).managed_until,
    )


def person_of(item: PlainItem) -> Person:
    """The person in an item of the table of people."""
    return Person(
        subject=item["subject"],
        tenant=TenantId(item["tenant_id"]),
        name=item["name"],
        email=item["email"],
        terms_version=item["terms_version"],
        terms_accepted_at=item["terms_accepted_at"],
        marketing_opt_in=item["marketing_opt_in"],
        state="confirmed" if item["state"] == "confirmed" else "unconfirmed",
        proof=item.get("proof"),
        tried_code=item.get("tried_code"),
        forget_at=item.get("forget_at"),
        open_resets=frozenset(item.get("owed", ())),
        sessions_ended_at=item.get("sessions_ended_at") or 0,
        ended_sessions=frozenset(item.get("ended_sessions", ())),
    )
