"""Parse and check the body of `PUT /v1/destination`: a destination that can be tested.

Secrets are `SecretText` as soon as they are decoded. Each rejection is a 400 `invalid_<field>` or
`unknown_field`; `field` has the whole path, and the message never contains a sent value. Whether the host may
be reached is not checked here.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta, Struct

from functions.shared.byoc.destination import AccessKey, CustomerRole
from functions.shared.byoc.destination_store import Destination
from functions.shared.byoc.role_policies import ROLE_PREFIX
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.forms import decoded, invalid
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

MAX_RETENTION_DAYS = 3650
MAX_SECRET_CHARACTERS = 512

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_ROLE = re.compile(rf"arn:aws(-cn|-us-gov)?:iam::[0-9]{{12}}:role/{ROLE_PREFIX}[A-Za-z0-9_+=,.@/-]{{0,500}}")
_DATABASE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
_SERVERS_OWN = frozenset({"system", "information_schema"})


Address = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MAX_SECRET_CHARACTERS})]
Days = Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": MAX_RETENTION_DAYS})]


class BucketForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """`endpoint`: URL of an S3 service other than AWS. Either a role or an access key; both may be omitted on
    an update.
    """

    name: Annotated[str, Meta(extra_json_schema={"pattern": f"^{_BUCKET.pattern}$"})]
    region: Annotated[str, Meta(extra_json_schema={"pattern": f"^{_REGION.pattern}$"})]
    endpoint: Address | None = None
    role_arn: Annotated[str, Meta(extra_json_schema={"pattern": f"^{_ROLE.pattern}$"})] | None = None
    access_key_id: SecretText | None = None
    secret_access_key: SecretText | None = None


class ClickHouseForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """`port`: port of the HTTP interface."""

    host: Address
    port: Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": 65_535})] = 8443
    secure: bool = True
    user: SecretText | None = None
    password: SecretText | None = None
    database: Annotated[str, Meta(extra_json_schema={"pattern": f"^{_DATABASE.pattern}$"})]


class DestinationForm(Struct, forbid_unknown_fields=True, kw_only=True):
    """The whole body. `retention_days`: days until `expires_on` of a row."""

    bucket: BucketForm
    clickhouse: ClickHouseForm
    retention_days: Days = MAX_RETENTION_DAYS


def candidate(
    body: bytes, tenant: TenantId, version: int, stored: Destination | None, external_id: Callable[[], str]
) -> Destination:
    """The destination in `body`, as `version` of the destination of `tenant`; its guarantee is not known yet.

    `external_id`: that of `tenant`, for a role. A body cannot contain one.

    Omitted secrets are taken from `stored`, but only for an unchanged address. A changed address needs them
    again: otherwise a caller who can change the address could have the secrets sent to their own server.

    Raises
    ------
    HttpError: 400 `invalid_<field>`, `unknown_field`, or `invalid_body` when the body is not JSON.
    """
    form = _checked(decoded(body, DestinationForm, _secret, quotes_unknown=False))
    bucket, clickhouse = form.bucket, form.clickhouse
    user, password = _sign_in(clickhouse, stored)
    return Destination(
        tenant=tenant,
        version=version,
        bucket=bucket.name,
        region=bucket.region,
        endpoint=bucket.endpoint,
        access=_access(bucket, stored, external_id),
        warehouse=ClickHouseAddress(
            host=clickhouse.host,
            port=clickhouse.port,
            secure=clickhouse.secure,
            user=user.reveal(),
            password=password,
            database=clickhouse.database,
        ),
        guarantee="",
        retention_days=form.retention_days,
    )


def check_bucket_name(path: str, name: str) -> None:
    """Reject a text that is no bucket's name; raises like `candidate`, for the field `path`."""
    if not _BUCKET.fullmatch(name):
        raise invalid(path, "must be a bucket name: 3 to 63 characters of a-z, 0-9, dots and hyphens")


def _secret(kind: type, value: Any) -> Any:
    if kind is SecretText and isinstance(value, str):
        return SecretText(value)
    raise TypeError("Expected `str`")


def _checked(form: DestinationForm) -> DestinationForm:
    bucket, clickhouse = form.bucket, form.clickhouse
    check_bucket_name("bucket.name", bucket.name)
    if not _REGION.fullmatch(bucket.region):
        raise invalid("bucket.region", "must be a region such as eu-central-1")
    if bucket.endpoint is not None and not 1 <= len(bucket.endpoint) <= MAX_SECRET_CHARACTERS:
        raise invalid("bucket.endpoint", "must be a URL such as https://s3.example.com, or be omitted")
    _check_access(bucket)
    if not 1 <= len(clickhouse.host) <= MAX_SECRET_CHARACTERS:
        raise invalid("clickhouse.host", "must be a host name or address")
    if not 1 <= clickhouse.port <= 65_535:
        raise invalid("clickhouse.port", "must be from 1 to 65535")
    if not _DATABASE.fullmatch(clickhouse.database) or clickhouse.database.lower() in _SERVERS_OWN:
        raise invalid(
            "clickhouse.database", "must be a name of letters, digits, _ and -, and not a system database"
        )
    if not 1 <= form.retention_days <= MAX_RETENTION_DAYS:
        raise invalid("retention_days", f"must be from 1 to {MAX_RETENTION_DAYS}")
    return form


def _check_access(form: BucketForm) -> None:
    if form.role_arn is None:
        return
    if not _ROLE.fullmatch(form.role_arn):
        raise invalid(
            "bucket.role_arn",
            f"must be the ARN of a role whose name begins with {ROLE_PREFIX}, such as "
            f"arn:aws:iam::123456789012:role/{ROLE_PREFIX}",
        )
    if form.access_key_id is not None or form.secret_access_key is not None:
        raise invalid(
            "bucket.role_arn",
            "must not be sent together with bucket.access_key_id or bucket.secret_access_key",
        )
    if form.endpoint is not None:
        raise invalid("bucket.endpoint", "must be omitted with bucket.role_arn: only S3 of AWS knows roles")


def _access(
    form: BucketForm, stored: Destination | None, external_id: Callable[[], str]
) -> AccessKey | CustomerRole:
    if form.role_arn is not None:
        return CustomerRole(form.role_arn, external_id())
    kept = stored.access if stored and form.endpoint == stored.endpoint else None
    if isinstance(kept, CustomerRole):
        if form.access_key_id is None and form.secret_access_key is None:
            return CustomerRole(kept.arn, external_id())
        kept = None
    return _access_key(form, kept)


def _access_key(form: BucketForm, kept: AccessKey | None) -> AccessKey:
    kept_id = kept.key_id if kept else None
    # A secret belongs to its key id: a new id needs a new secret.
    kept_secret = kept.secret if kept and form.access_key_id in (None, kept_id) else None
    key_id = _given("bucket.access_key_id", form.access_key_id, kept_id)
    secret = _given("bucket.secret_access_key", form.secret_access_key, kept_secret)
    for path, each in (("bucket.access_key_id", key_id), ("bucket.secret_access_key", secret)):
        if not each.reveal().isascii() or " " in each.reveal():
            raise invalid(path, "must be ASCII without spaces: check that it was copied completely")
    return AccessKey(key_id, secret)


def _sign_in(form: ClickHouseForm, stored: Destination | None) -> tuple[SecretText, SecretText]:
    kept_user = kept_password = None
    at = stored.warehouse if stored else None
    if at and (form.host, form.port, form.secure) == (at.host, at.port, at.secure):
        kept_user = SecretText(at.user)
        kept_password = at.password if form.user in (None, kept_user) else None
    user = _given("clickhouse.user", form.user, kept_user)
    if ":" in user.reveal():
        raise invalid("clickhouse.user", "must not contain a colon: it separates the user from the password")
    return user, _given("clickhouse.password", form.password, kept_password)


def _given(path: str, sent: SecretText | None, kept: SecretText | None) -> SecretText:
    """The sent or the stored secret; rejects a missing one, and a text that no HTTP header can carry."""
    secret = sent if sent is not None else kept
    if secret is None:
        raise invalid(path, "is missing: send it, because no stored value belongs to this address and user")
    text = secret.reveal()
    if not 1 <= len(text) <= MAX_SECRET_CHARACTERS or not text.isprintable():
        raise invalid(path, f"must be 1 to {MAX_SECRET_CHARACTERS} characters without control characters")
    return secret
