"""Test a customer's bucket with the calls of the pipeline, under each prefix that the pipeline uses.

The test objects have names that no part of the pipeline processes, and are deleted at the end.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from functions.destinations.bucket_fixes import bucket_failure
from functions.destinations.reach import address_failure, reach
from functions.destinations.role_fixes import STS_UNAVAILABLE, TRUSTS_ANY, role_failure
from functions.destinations.role_setup import new_external_id
from functions.destinations.steps import (
    StepFailedError,
    StepPassed,
    StepResult,
    StepRunner,
    StepSkippedError,
    TimeBudget,
)
from functions.shared.buckets.contract import Bucket, BucketError, ObjectBody
from functions.shared.buckets.customer import CustomerBucket
from functions.shared.byoc.destination import AccessKey, CustomerRole
from functions.shared.byoc.destination_store import Destination
from functions.shared.byoc.role_sessions import (
    RoleRefusedError,
    RoleServiceUnavailableError,
    RoleSessions,
)
from functions.shared.egress.egress_filter import AddressRefusedError, EgressFilter
from functions.shared.egress.s3 import Timeouts, filtered_s3_client
from functions.shared.events.staged_key import time_ordered_id
from functions.shared.tenancy import idempotency_prefix, quarantine_prefix, staged_prefix

STEPS = tuple(f"bucket.{name}" for name in ("reach", "authenticate", "write", "write_once", "read", "delete"))
REACH, AUTHENTICATE, WRITE, WRITE_ONCE, READ, DELETE = STEPS
ASSUME_ROLE = "bucket.assume_role"
ROLE_STEPS = (ASSUME_ROLE, *STEPS)
"""The steps of a bucket that is opened with a role."""

BODY = b'{"probe": true}\n'
TIMEOUTS = Timeouts(connect_seconds=2, read_seconds=4)

_REGION = re.compile(r"[a-z0-9-]{2,32}")
_OTHER_ETAG = "0" * 32
_REPEATED = (
    "an event that is sent again with the same Idempotency-Key may be stored twice (at least once)",
    "Use a service that honours If-None-Match and If-Match on PUT, or send without Idempotency-Key.",
)

T = TypeVar("T")


@dataclass(slots=True)
class BucketTester:
    """The test of one candidate's bucket. `writes_once` is set by the run."""

    candidate: Destination
    guard: EgressFilter
    budget: TimeBudget
    roles: RoleSessions
    ca_certs: str | None = None
    writes_once: bool = False
    runner: StepRunner = field(init=False)
    _client: Any = field(init=False, default=None, repr=False)
    _keys: list[str] = field(init=False)
    _access_key: AccessKey | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        tenant, access = self.candidate.tenant, self.candidate.access
        self._access_key = access if isinstance(access, AccessKey) else None
        self.runner = StepRunner(tenant, STEPS if self._access_key else ROLE_STEPS, self.budget)
        prefixes = (staged_prefix(tenant), idempotency_prefix(tenant), quarantine_prefix(tenant))
        self._keys = [f"{prefix}probe-{time_ordered_id()}" for prefix in prefixes]

    def run(self) -> None:
        """Run every step that can be run; no object is left behind unless `bucket.delete` reports it."""
        access = self.candidate.access
        if isinstance(access, CustomerRole):
            self.runner.run(ASSUME_ROLE, lambda: self._assume(access))
        self.runner.run(REACH, self._reach, after=ASSUME_ROLE)
        self.runner.run(AUTHENTICATE, self._authenticate, after=REACH)
        self.runner.run(WRITE, self._write, after=AUTHENTICATE)
        self.runner.run(WRITE_ONCE, self._write_once, after=WRITE)
        self.runner.run(READ, self._read, after=WRITE)
        self.runner.run(DELETE, self._delete, after=AUTHENTICATE, always=True)

    def report(self) -> list[StepResult]:
        return self.runner.report()

    def _assume(self, role: CustomerRole) -> StepPassed:
        """Assume the role, and then with a random external id: that must fail.

        A role that accepts any external id could be used by every customer that knows its ARN.
        """
        try:
            self._access_key = self.roles.assume(self.candidate, role).access_key
        except RoleRefusedError as refusal:
            raise role_failure(refusal.code, self._own_account(), role.external_id) from None
        except RoleServiceUnavailableError:
            raise StepFailedError(*STS_UNAVAILABLE) from None
        try:
            self.roles.assume(self.candidate, replace(role, external_id=new_external_id()))
        except RoleRefusedError:
            return StepPassed("The role can be assumed, and only with your external id.")
        except RoleServiceUnavailableError:
            raise StepFailedError(*STS_UNAVAILABLE) from None
        raise StepFailedError(*TRUSTS_ANY)

    def _own_account(self) -> str:
        try:
            return self.roles.own_account()[1]
        except RoleServiceUnavailableError:
            raise StepFailedError(*STS_UNAVAILABLE) from None

    def _reach(self) -> StepPassed:
        at, key = self.candidate, self._access_key
        if key is None:
            raise StepSkippedError(f"Not run: {ASSUME_ROLE} must pass first.")
        try:
            self._client = filtered_s3_client(
                guard=self.guard,
                region=at.region,
                endpoint=at.endpoint,
                access_key_id=key.key_id,
                secret_access_key=key.secret,
                timeouts=TIMEOUTS,
                ca_certs=self.ca_certs,
                session_token=key.session_token,
            )
        except AddressRefusedError as fault:
            raise address_failure(fault) from None
        url = urlsplit(self._client.meta.endpoint_url)
        encrypted = url.scheme == "https"
        port = url.port or (443 if encrypted else 80)
        return reach(self.guard, url.hostname or "", port, encrypted=encrypted, ca_certs=self.ca_certs)

    def _authenticate(self) -> StepPassed:
        prefix = staged_prefix(self.candidate.tenant)
        self._call("s3:ListBucket", lambda bucket: next(iter(bucket.under(prefix)), None), whole=True)
        if self.candidate.endpoint is None:
            self._check_region()
        return StepPassed("The credentials are valid, and the bucket can be listed.")

    def _check_region(self) -> None:
        """AWS forwards requests for another region, which costs an additional request each time."""
        headers = self._client.head_bucket(Bucket=self.candidate.bucket)["ResponseMetadata"]["HTTPHeaders"]
        region = str(headers.get("x-amz-bucket-region", ""))
        if region != self.candidate.region and _REGION.fullmatch(region):
            raise StepFailedError(f"The bucket is in {region}.", f"Set bucket.region to {region}.")

    def _write(self) -> StepPassed:
        try:
            self._remove()
        except StepFailedError:
            raise StepSkippedError(f"Not run: test objects could not be deleted, see {DELETE}.") from None
        for key in self._keys:
            created = self._created(key)
            if created is None:
                raise StepFailedError("The service reports a new object as an existing one.", "Test again.")
        return StepPassed("Objects can be created under each prefix that we use.")

    def _write_once(self) -> StepPassed:
        """Whether conditional writes are honoured; a service that rejects them has failed `bucket.write`."""
        key = self._keys[0]
        again = self._created(key)
        replaced = self._call("s3:PutObject", lambda bucket: bucket.replace(key, BODY, _OTHER_ETAG))
        self.writes_once = again is None and not replaced
        if self.writes_once:
            return StepPassed("An existing object is not overwritten.")
        consequence, advice = _REPEATED
        return StepPassed(f"The service ignores the condition on a write: {consequence}.", advice)

    def _read(self) -> StepPassed:
        for key in self._keys:
            found = self._found(key)
            if found is None or bytes(found.body) != BODY:
                raise StepFailedError(
                    "An object that was just written is missing or different when read.",
                    "Use a service with consistent reads, without a cache or transformation in front of it.",
                )
        return StepPassed("Objects are read as they were written.")

    def _delete(self) -> StepPassed:
        try:
            self._remove()
        except StepFailedError as failed:
            if not self.runner.passed(WRITE):
                raise
            left = ", ".join(self._keys)
            raise StepFailedError(f"{failed.detail} These objects may be left: {left}.", failed.fix) from None
        return StepPassed("Objects can be deleted; no test object is left.")

    def _created(self, key: str) -> str | None:
        return self._call("s3:PutObject", lambda bucket: bucket.create(key, BODY))

    def _found(self, key: str) -> ObjectBody | None:
        return self._call("s3:GetObject", lambda bucket: bucket.get(key))

    def _remove(self) -> None:
        self._call("s3:DeleteObject", lambda bucket: bucket.delete(self._keys))

    def _call(self, action: str, ask: Callable[[Bucket], T], *, whole: bool = False) -> T:
        """The result of `ask` on the bucket; `whole`: the action applies to the bucket, not to objects."""
        name = self.candidate.bucket
        bucket = CustomerBucket(self._client, name)
        try:
            return ask(bucket)
        except BucketError as fault:
            resource = f"arn:aws:s3:::{name}" if whole else f"arn:aws:s3:::{name}/*"
            by_role = isinstance(self.candidate.access, CustomerRole)
            raise bucket_failure(fault, action, resource, by_role=by_role) from None
        except AddressRefusedError as fault:
            raise address_failure(fault) from None
