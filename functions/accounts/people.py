"""The people who signed up, in DynamoDB: the personal data stored in addition to Cognito's.

A person is unconfirmed until they enter the mailed code; an unconfirmed person is deleted after
UNCONFIRMED_DAYS. Each person has an account of their own, whose id is chosen here, before anything else uses
it.
"""

import base64
import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from botocore.exceptions import ClientError

from functions.shared.accounts.session_check import SessionEnds, session_ends_of
from functions.shared.dynamo.answers import answered, open_client, unmet
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

UNCONFIRMED_DAYS = 7
SECONDS_A_DAY = 86_400
TENANT_RANDOM_BYTES = 15
MAX_ENDED_SESSIONS = 100
"""Per person, sessions ended one by one and not yet deleted; one more ends all sessions."""

State = Literal["unconfirmed", "confirmed"]


@dataclass(frozen=True, slots=True)
class Person:
    """`subject` is Cognito's id of the person; `terms_accepted_at` RFC 3339, UTC.

    `proof` (functions.accounts.password_hash) and `forget_at` (Unix seconds) are set only while unconfirmed.
    `tried_code`: digest of the last confirmation code, which distinguishes a retry of the right code from a
    guess. `open_resets`: names of password resets after which old sessions may not have been ended.
    `sessions_ended_at`: sessions that began before this time (Unix seconds) have ended. `ended_sessions`:
    sessions that ended one by one, each as `<until>-<session>`; at `until` all its tokens have expired.
    """

    subject: str
    tenant: TenantId
    name: str = field(repr=False)
    email: str = field(repr=False)
    terms_version: str
    terms_accepted_at: str
    marketing_opt_in: bool
    state: State = "unconfirmed"
    proof: str | None = field(default=None, repr=False)
    tried_code: str | None = field(default=None, repr=False)
    forget_at: int | None = None
    open_resets: frozenset[str] = frozenset()
    sessions_ended_at: int = 0
    ended_sessions: frozenset[str] = frozenset()

    @property
    def confirmed(self) -> bool:
        return self.state == "confirmed"

    def tried(self, code: SecretText) -> bool:
        """Whether `code` is the last code that was tried for this person."""
        return self.tried_code == code_digest(self.subject, code)

    @property
    def session_ends(self) -> SessionEnds:
        return SessionEnds(self.sessions_ended_at, self.ended_sessions, self.open_resets)

    def overdue(self, now: float) -> frozenset[str]:
        """The names in `open_resets` of resets that are no longer in progress."""
        return self.session_ends.overdue(now)

    def session_over(self, session: str, signed_in_at: int, now: float) -> bool:
        """Whether the session has ended that began with the sign-in at `signed_in_at`, in Unix seconds."""
        return self.session_ends.include(session, signed_in_at, now)


class People:
    """Reads and writes people, reads strongly consistent.

    Every method raises functions.shared.dynamo.answers.StoreUnavailableError when DynamoDB fails.
    """

    def __init__(self, table: str, dynamodb: Any = None) -> None:
        self._table = table
        self._client = dynamodb or open_client()

    def put(self, person: Person) -> None:
        """Write all attributes of a person."""
        with answered():
            self._client.put_item(TableName=self._table, Item=_item(person))

    def get(self, subject: str, now: float) -> Person | None:
        """The person, or None for an unknown subject or an unconfirmed person past retention."""
        with answered():
            found = self._client.get_item(TableName=self._table, Key=_key(subject), ConsistentRead=True)
        if "Item" not in found:
            return None
        person = _person(found["Item"])
        overdue = person.forget_at is not None and person.forget_at <= now
        return None if overdue else person

    def note_code(self, subject: str, code: SecretText) -> None:
        """Store the digest of the code that is about to be tried; only while unconfirmed."""
        self._change(
            subject,
            "SET tried_code = :code",
            {":code": {"S": code_digest(subject, code)}, ":state": {"S": "unconfirmed"}},
            "#state = :state",
            names={"#state": "state"},
        )

    def confirm(self, subject: str) -> None:
        """Mark the person as confirmed, without expiry; idempotent."""
        self._change(
            subject,
            "SET #state = :state REMOVE forget_at, proof",
            {":state": {"S": "confirmed"}},
            "attribute_exists(subject)",
            names={"#state": "state"},
        )

    def change(
        self,
        subject: str,
        *,
        name: str | None = None,
        email: str | None = None,
        marketing_opt_in: bool | None = None,
    ) -> bool:
        """Replace the given attributes of an existing person; returns whether the person exists."""
        given: dict[str, Any] = {
            "name": None if name is None else {"S": name},
            "email": None if email is None else {"S": email},
            "marketing_opt_in": None if marketing_opt_in is None else {"BOOL": marketing_opt_in},
        }
        new = {field: value for field, value in given.items() if value is not None}
        return not new or self._change(
            subject,
            "SET " + ", ".join(f"#{each} = :{each}" for each in new),
            {f":{each}": value for each, value in new.items()},
            "attribute_exists(subject)",
            names={f"#{each}": each for each in new},
        )

    def record_reset(self, subject: str, reset: str) -> None:
        """Record, before a reset is tried, that it may leave old sessions to end."""
        self._change(
            subject, "ADD owed :reset", {":reset": {"SS": [reset]}}, "attribute_exists(subject)", names={}
        )

    def clear_resets(self, subject: str, resets: Collection[str]) -> None:
        """Remove resets whose sessions have ended, or that did not happen; others stay in `open_resets`."""
        if resets:
            values = {":resets": {"SS": sorted(resets)}}
            self._change(subject, "DELETE owed :resets", values, "attribute_exists(subject)", names={})

    def end_sessions(self, subject: str, before: int) -> None:
        """Record that sessions begun before `before` have ended, whatever Cognito says of their tokens."""
        values = {":before": {"N": str(before)}}
        condition = (
            "attribute_exists(subject) AND "
            "(attribute_not_exists(sessions_ended_at) OR sessions_ended_at < :before)"
        )
        update = "SET sessions_ended_at = :before REMOVE ended_sessions"
        self._change(subject, update, values, condition, names={})

    def end_session(self, subject: str, session: str, until: int) -> None:
        """Record that one session has ended; its tokens have expired by `until`, in Unix seconds."""
        values = {":ended": {"SS": [f"{until}-{session}"]}}
        self._change(subject, "ADD ended_sessions :ended", values, "attribute_exists(subject)", names={})

    def remove_ended(self, subject: str, ended: Collection[str]) -> None:
        """Remove entries of `ended_sessions` whose tokens have expired."""
        if ended:
            values = {":ended": {"SS": sorted(ended)}}
            self._change(
                subject, "DELETE ended_sessions :ended", values, "attribute_exists(subject)", names={}
            )

    def remove_unconfirmed(self, subject: str) -> None:
        """Delete an unconfirmed person at once; a confirmed one stays."""
        try:
            with answered():
                self._client.delete_item(
                    TableName=self._table,
                    Key=_key(subject),
                    ConditionExpression="attribute_not_exists(subject) OR #state = :state",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues={":state": {"S": "unconfirmed"}},
                )
        except ClientError as fault:
            if not unmet(fault):
                raise

    def _change(
        self, subject: str, update: str, values: dict[str, Any], condition: str, names: dict[str, str]
    ) -> bool:
        try:
            with answered():
                self._client.update_item(
                    TableName=self._table,
                    Key=_key(subject),
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    **({"ExpressionAttributeNames": names} if names else {}),
                )
        except ClientError as fault:
            if not unmet(fault):
                raise
            return False
        return True


def new_tenant() -> TenantId:
    """An account id that cannot be guessed: `t` and 120 random bits in lower-case base32."""
    return TenantId("t" + base64.b32encode(secrets.token_bytes(TENANT_RANDOM_BYTES)).decode().lower())


def new_reset(now: float) -> str:
    """A name for a reset that contains its start time."""
    return f"{int(now)}-{secrets.token_hex(8)}"


def unconfirmed(person: Person, now: float) -> Person:
    """`person` as just signed up: deleted later unless confirmed."""
    return replace(person, state="unconfirmed", forget_at=int(now) + UNCONFIRMED_DAYS * SECONDS_A_DAY)


def to_rfc3339(now: float) -> str:
    """Unix seconds as RFC 3339."""
    return datetime.fromtimestamp(int(now), UTC).isoformat().replace("+00:00", "Z")


def code_digest(subject: str, code: SecretText) -> str:
    """The stored digest of a code, enough to recognize it."""
    return hashlib.sha256(f"{subject}:{code.reveal()}".encode()).hexdigest()


def _key(subject: str) -> dict[str, Any]:
    return {"subject": {"S": subject}}


def _item(person: Person) -> dict[str, Any]:
    item: dict[str, Any] = {
        **_key(person.subject),
        "tenant_id": {"S": person.tenant},
        "name": {"S": person.name},
        "email": {"S": person.email},
        "terms_version": {"S": person.terms_version},
        "terms_accepted_at": {"S": person.terms_accepted_at},
        "marketing_opt_in": {"BOOL": person.marketing_opt_in},
        "state": {"S": person.state},
    }
    if person.proof is not None:
        item["proof"] = {"S": person.proof}
    if person.tried_code is not None:
        item["tried_code"] = {"S": person.tried_code}
    if person.forget_at is not None:
        item["forget_at"] = {"N": str(person.forget_at)}
    if person.open_resets:
        item["owed"] = {"SS": sorted(person.open_resets)}
    if person.sessions_ended_at:
        item["sessions_ended_at"] = {"N": str(person.sessions_ended_at)}
    if person.ended_sessions:
        item["ended_sessions"] = {"SS": sorted(person.ended_sessions)}
    return item


def _person(item: dict[str, Any]) -> Person:
    ends = session_ends_of(item)
    return Person(
        subject=item["subject"]["S"],
        tenant=TenantId(item["tenant_id"]["S"]),
        name=item["name"]["S"],
        email=item["email"]["S"],
        terms_version=item["terms_version"]["S"],
        terms_accepted_at=item["terms_accepted_at"]["S"],
        marketing_opt_in=item["marketing_opt_in"]["BOOL"],
        state=item["state"]["S"],
        proof=item.get("proof", {}).get("S"),
        tried_code=item.get("tried_code", {}).get("S"),
        forget_at=int(item["forget_at"]["N"]) if "forget_at" in item else None,
        open_resets=ends.open_resets,
        sessions_ended_at=ends.before,
        ended_sessions=ends.ended,
    )
