"""A ciphertext decrypts for its tenant, purpose, version and key, and no other; shredded, never."""

import base64
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ParamValidationError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.byoc import encryption
from functions.shared.byoc.encryption import (
    CredentialEncryption,
    CredentialsUnreadableError,
    EncryptionContext,
    KeyServiceUnavailableError,
    Shards,
)
from functions.shared.secret_text import SecretText
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from tests.examples import examples
from tests.unit.shared.fake_kms import (
    ACME,
    GLOBEX,
    SHARDS,
    Failing,
    KmsWorld,
    Overtaken,
    full_report,
    kms_world,
    refusal,
)

CANARY = "canary-wJalrXUtnFEMI"
S3, CLICKHOUSE = "s3_credentials", "clickhouse_credentials"
HERE = EncryptionContext(ACME, S3, 2)
CONTEXTS = [
    EncryptionContext(*each) for each in itertools.product((ACME, GLOBEX), (S3, CLICKHOUSE), (1, 2, 3))
]

REFUSALS = (CredentialsUnreadableError, KeyServiceUnavailableError)
"""moto answers AccessDenied, which is ours to try again, where KMS says IncorrectKeyException."""


@pytest.fixture(scope="module")
def aws() -> Iterator[KmsWorld]:
    with kms_world() as made:
        yield made


@pytest.fixture(scope="module")
def sealed(aws: KmsWorld) -> str:
    return aws.sealer().encrypt(SecretText(CANARY), HERE)


class ForgetfulKms:
    """A KMS that compares neither context nor key; its wrapped keys are only names of what it remembers."""

    def __init__(self) -> None:
        self.keys: dict[bytes, bytes] = {}

    def generate_data_key(self, **_asked: Any) -> dict[str, Any]:
        name, key = os.urandom(16), os.urandom(32)
        self.keys[name] = key
        return {"CiphertextBlob": name, "Plaintext": key}

    def decrypt(self, CiphertextBlob: bytes, **_asked: Any) -> dict[str, Any]:  # noqa: N803
        if CiphertextBlob not in self.keys:
            raise refusal("InvalidCiphertextException")
        return {"Plaintext": self.keys[CiphertextBlob]}


def opens(sealer: CredentialEncryption, text: str, context: EncryptionContext) -> bool:
    try:
        found = sealer.decrypt(text, context)
    except REFUSALS as fault:
        refused: Exception = fault
    else:
        assert found.reveal() == CANARY
        return True
    assert CANARY not in full_report(refused)
    assert refused.__cause__ is refused.__context__ is None
    return False


def relabelled(text: str, context: EncryptionContext) -> str:
    """An envelope whose clear context was rewritten by an attacker so that it fits."""
    clear = {"tenant": context.tenant, "purpose": context.purpose, "version": context.version}
    return json.dumps({**json.loads(text), **clear})


def altered(text: str, part: str, alter: Callable[[bytes], bytes]) -> str:
    fields = json.loads(text)
    fields[part] = base64.b64encode(alter(base64.b64decode(fields[part]))).decode()
    return json.dumps(fields)


def flipped(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))


@given(st.text(alphabet=st.characters(exclude_categories=[])), st.integers(1, 10**9))
@examples(25)
def test_a_ciphertext_decrypts_where_it_belongs(aws: KmsWorld, text: str, version: int) -> None:
    for tenant in (ACME, GLOBEX):
        context = EncryptionContext(tenant, S3, version)
        envelope = aws.sealer().encrypt(SecretText(text), context)
        assert aws.sealer().decrypt(envelope, context).reveal() == text


def test_the_same_text_is_encrypted_differently_every_time(aws: KmsWorld) -> None:
    envelopes = [json.loads(aws.sealer().encrypt(SecretText(CANARY), HERE)) for _ in range(20)]

    for part in ("key", "nonce", "body"):
        assert len({envelope[part] for envelope in envelopes}) == 20
    assert {len(base64.b64decode(envelope["nonce"])) for envelope in envelopes} == {12}


def test_what_is_stored_shows_nothing_of_the_text(sealed: str) -> None:
    parts = [base64.b64decode(json.loads(sealed)[part]) for part in ("key", "nonce", "body")]

    assert CANARY not in sealed
    assert not any(CANARY.encode() in part for part in parts)


def test_every_envelope_opens_in_one_place_only_whatever_label_is_put_on_it(aws: KmsWorld) -> None:
    """2 tenants, 2 purposes, 3 versions, 2 KMS keys: each tried everywhere, as it is and relabelled."""
    places = [(context, key) for context in CONTEXTS for key in (aws.key_id, aws.other_key_id)]
    envelopes = [aws.sealer(key).encrypt(SecretText(CANARY), context) for context, key in places]
    opened = {
        (made, tried): opens(aws.sealer(key), text, context)
        for made, envelope in enumerate(envelopes)
        for tried, (context, key) in enumerate(places)
        for text in ([envelope] if made == tried else [relabelled(envelope, context)])
    }
    as_they_are = [
        opens(aws.sealer(key), envelope, context)
        for envelope, made in zip(envelopes, places, strict=True)
        for context, key in places
        if made[0] != context
    ]

    assert len(opened) == 24 * 24
    assert {pair for pair, did in opened.items() if did} == {(n, n) for n in range(24)}
    assert len(as_they_are) == 24 * 22
    assert not any(as_they_are)


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.soak), 5])
def test_no_bit_of_key_nonce_or_text_can_change(aws: KmsWorld, sealed: str, step: int) -> None:
    """Each bit in `make soak`; else every fifth, which is one or two of each byte, each place in turn."""
    cases = [
        altered(sealed, part, lambda data, bit=bit: flipped(data, bit))  # type: ignore[misc]
        for part in ("key", "nonce", "body")
        for bit in range(0, 8 * len(base64.b64decode(json.loads(sealed)[part])), step)
    ]

    assert len(cases) >= 1000 // step
    assert not [case for case in cases if opens(aws.sealer(), case, HERE)]


def test_nothing_can_be_cut_off_or_added(aws: KmsWorld, sealed: str) -> None:
    sizes = {part: len(base64.b64decode(json.loads(sealed)[part])) for part in ("key", "nonce", "body")}
    cut = [sealed[:size] for size in range(len(sealed))]
    shortened = [
        altered(sealed, part, lambda data, size=size: data[:size])  # type: ignore[misc]
        for part, whole in sizes.items()
        for size in range(whole)
    ]
    longer = [altered(sealed, part, lambda data: data + b"\0") for part in sizes]
    cases = [*cut, *shortened, *longer, sealed + " ", " " + sealed, sealed + sealed]

    assert len(cases) >= 400
    assert not [case for case in cases if opens(aws.sealer(), case, HERE)]


@given(st.data())
@examples(300)
def test_no_character_of_an_envelope_can_change(aws: KmsWorld, sealed: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(sealed) - 1))
    character = data.draw(st.characters().filter(lambda drawn: drawn != sealed[place]))

    assert not opens(aws.sealer(), sealed[:place] + character + sealed[place + 1 :], HERE)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["form", "tenant", "purpose", "key"]), inner)
        ),
    )
)
@examples(200)
def test_what_is_no_envelope_is_refused_as_broken(aws: KmsWorld, value: Any) -> None:
    with pytest.raises(CredentialsUnreadableError):
        aws.sealer().decrypt(json.dumps(value), HERE)


@pytest.mark.parametrize(
    "spelling",
    [
        lambda fields: json.dumps(fields, separators=(",", ":")),
        lambda fields: json.dumps(fields, sort_keys=True),
        lambda fields: json.dumps({**fields, "form": 2}),
        lambda fields: json.dumps({**fields, "form": True}),
        lambda fields: json.dumps({**fields, "more": 1}),
        lambda fields: json.dumps({**fields, "version": "2"}),
        lambda fields: json.dumps({**fields, "version": 2.0}),
        lambda fields: json.dumps({**fields, "body": fields["body"] + "\n"}),
        lambda fields: json.dumps({name: fields[name] for name in fields if name != "nonce"}),
        lambda _fields: "[" * 100_000,
    ],
)
def test_another_spelling_of_an_envelope_is_refused_as_broken(
    aws: KmsWorld, sealed: str, spelling: Callable[[dict[str, Any]], str]
) -> None:
    with pytest.raises(CredentialsUnreadableError):
        aws.sealer().decrypt(spelling(json.loads(sealed)), HERE)


def test_version_one_is_not_true(aws: KmsWorld) -> None:
    first = EncryptionContext(ACME, S3, 1)
    envelope = json.loads(aws.sealer().encrypt(SecretText(CANARY), first))

    assert not opens(aws.sealer(), json.dumps({**envelope, "version": True}), first)


@pytest.mark.parametrize("change", [{"tenant": "globex"}, {"purpose": CLICKHOUSE}, {"version": "3"}, {}])
def test_the_emulated_kms_compares_the_context_which_these_tests_count_on(
    aws: KmsWorld, sealed: str, change: dict[str, str]
) -> None:
    wrapped = base64.b64decode(json.loads(sealed)["key"])
    parameters = {"KeyId": aws.key_id, "CiphertextBlob": wrapped, "EncryptionContext": HERE.for_kms()}
    assert len(aws.kms.decrypt(**parameters)["Plaintext"]) == 32

    parameters["EncryptionContext"] = {**HERE.for_kms(), **change} if change else {}
    with pytest.raises(aws.kms.exceptions.InvalidCiphertextException):
        aws.kms.decrypt(**parameters)


def test_a_moved_envelope_is_refused_without_asking_kms(aws: KmsWorld, sealed: str) -> None:
    offline = CredentialEncryption(Failing(AssertionError("asked")), aws.key_id, aws.shards)

    for context in CONTEXTS:
        if context != HERE:
            with pytest.raises(CredentialsUnreadableError, match="another tenant, purpose or version"):
                offline.decrypt(sealed, context)


def test_associated_data_alone_keeps_an_envelope_in_its_place(
    aws: KmsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a KMS that compares nothing, a key that depends on no context, and one shard for all."""
    shard, derive = SecretText("07" * 32), encryption._cipher
    monkeypatch.setattr(encryption, "_cipher", lambda key, _shard, _context: derive(key, shard, HERE))
    sealer = CredentialEncryption(ForgetfulKms(), aws.key_id, aws.shards)
    envelope = sealer.encrypt(SecretText(CANARY), HERE)
    opened = [context for context in CONTEXTS if opens(sealer, relabelled(envelope, context), context)]

    assert opened == [HERE]
    # The control: once the associated data says nothing either, it opens everywhere.
    monkeypatch.setattr(EncryptionContext, "canonical", lambda _self: b"same")
    envelope = sealer.encrypt(SecretText(CANARY), HERE)
    assert all(opens(sealer, relabelled(envelope, context), context) for context in CONTEXTS)


def test_a_tenants_shard_alone_keeps_others_out(aws: KmsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a KMS that compares nothing, and nothing that says where an envelope belongs."""
    monkeypatch.setattr(EncryptionContext, "canonical", lambda _self: b"same")
    sealer = CredentialEncryption(ForgetfulKms(), aws.key_id, aws.shards)
    theirs = EncryptionContext(GLOBEX, S3, 2)
    sealer.encrypt(SecretText("something"), theirs)
    envelope = sealer.encrypt(SecretText(CANARY), HERE)

    assert opens(sealer, envelope, HERE)
    assert not opens(sealer, relabelled(envelope, theirs), theirs)


def test_once_shredded_nothing_of_the_tenant_opens_and_everything_of_others_does(aws: KmsWorld) -> None:
    leaver = TenantId("leaver")
    envelopes = {
        EncryptionContext(tenant, purpose, version): aws.sealer().encrypt(
            SecretText(CANARY), EncryptionContext(tenant, purpose, version)
        )
        for tenant in (leaver, GLOBEX)
        for purpose in (S3, CLICKHOUSE)
        for version in (1, 2)
    }
    aws.sealer().shred(leaver)
    aws.sealer().shred(leaver)

    for context, envelope in envelopes.items():
        assert opens(aws.sealer(), envelope, context) == (context.tenant == GLOBEX)
    with pytest.raises(CredentialsUnreadableError, match="shredded"):
        aws.sealer().decrypt(envelopes[EncryptionContext(leaver, S3, 1)], EncryptionContext(leaver, S3, 1))


def test_a_new_shard_does_not_bring_back_what_was_shredded(aws: KmsWorld) -> None:
    returner = EncryptionContext(TenantId("returner"), S3, 1)
    before = aws.sealer().encrypt(SecretText(CANARY), returner)
    aws.sealer().shred(returner.tenant)
    after = aws.sealer().encrypt(SecretText(CANARY), returner)

    assert opens(aws.sealer(), after, returner)
    with pytest.raises(CredentialsUnreadableError):
        aws.sealer().decrypt(before, returner)


def test_a_shard_is_made_once_a_tenant(aws: KmsWorld) -> None:
    fresh = TenantId("fresh")
    assert aws.shards.get(fresh) is None

    made = aws.shards.get_or_create(fresh)

    assert aws.shards.get_or_create(fresh) == aws.shards.get(fresh) == made
    assert len(bytes.fromhex(made.reveal())) == 32
    assert made != aws.shards.get_or_create(ACME)


def test_two_who_make_a_shard_at_once_end_with_the_same(aws: KmsWorld) -> None:
    raced = TenantId("raced")
    first: list[SecretText] = []
    overtaken = Overtaken(aws.dynamodb, "update_item", lambda: first.append(aws.shards.get_or_create(raced)))
    second = Shards(SHARDS, overtaken).get_or_create(raced)

    assert first == [second] == [aws.shards.get(raced)]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (refusal("InvalidCiphertextException", CANARY), CredentialsUnreadableError),
        (refusal("IncorrectKeyException", CANARY), CredentialsUnreadableError),
        *(
            (refusal(code, CANARY), KeyServiceUnavailableError)
            for code in (
                "AccessDeniedException", "DisabledException", "KMSInvalidStateException", "NotFoundException",
                "KeyUnavailableException", "ThrottlingException", "LimitExceededException",
                "DependencyTimeoutException", "KMSInternalException", "ExpiredTokenException", "503",
            )
        ),
        (EndpointConnectionError(endpoint_url=CANARY), KeyServiceUnavailableError),
        (ReadTimeoutError(endpoint_url=CANARY), KeyServiceUnavailableError),
        (ParamValidationError(report=CANARY), KeyServiceUnavailableError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)  # fmt: skip
def test_errors_of_kms_are_classified_and_not_passed_on(
    aws: KmsWorld, sealed: str, fault: Exception, expected: type[Exception]
) -> None:
    sealer = CredentialEncryption(Failing(fault), aws.key_id, aws.shards)

    with pytest.raises(expected) as opening:
        sealer.decrypt(sealed, HERE)
    with pytest.raises(expected) as encrypting:
        sealer.encrypt(SecretText(CANARY), HERE)

    for raised in (opening.value, encrypting.value):
        assert CANARY not in full_report(raised)
        assert raised.__cause__ is raised.__context__ is None


def test_without_the_table_of_shards_nothing_is_broken_only_unavailable(aws: KmsWorld, sealed: str) -> None:
    shards = Shards(SHARDS, Failing(refusal("ProvisionedThroughputExceededException", CANARY)))
    sealer = CredentialEncryption(aws.kms, aws.key_id, shards)

    for call in (
        lambda: sealer.decrypt(sealed, HERE),
        lambda: sealer.encrypt(SecretText(CANARY), HERE),
        lambda: sealer.shred(ACME),
    ):
        with pytest.raises(StoreUnavailableError) as raised:
            call()
        assert CANARY not in full_report(raised.value)


def test_no_error_holds_text_key_or_shard(aws: KmsWorld) -> None:
    kms = ForgetfulKms()
    sealer = CredentialEncryption(kms, aws.key_id, aws.shards)
    envelope = sealer.encrypt(SecretText(CANARY), HERE)
    broken = altered(envelope, "body", lambda body: flipped(body, 3))

    with pytest.raises(CredentialsUnreadableError) as raised:
        sealer.decrypt(broken, HERE)

    report = full_report(raised.value)
    shard = aws.shards.get_or_create(ACME).reveal()
    (key,) = kms.keys.values()
    assert "_cipher" in report or "_opened" in report
    for secret in (CANARY, shard, key.hex(), repr(key), str(bytes.fromhex(shard))):
        assert secret not in report
    for part in ("key", "nonce", "body"):
        assert json.loads(broken)[part] not in str(raised.value)


@pytest.mark.parametrize("module", ["encryption", "destination_store"])
def test_importing_it_loads_no_client_and_no_cryptography(module: str) -> None:
    heavy = ["boto3", "botocore", "cryptography", "pynamodb", "clickhouse_connect", "urllib3"]
    loaded = f"[name for name in {heavy} if name in sys.modules]"
    program = f"import sys, functions.shared.byoc.{module}; print({loaded})"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout == "[]\n"
