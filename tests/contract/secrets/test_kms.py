"""Envelope encryption: the key that seals is wrapped by a key of AWS KMS, which never leaves it. Against the emulator's KMS, and against
botocore's own stub for what an emulator does not refuse."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from tests.support.servers import REGION, AwsServer
from zixly_core.aws import aws_client
from zixly_core.errors import Permanent, SettingsError, Transient
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.key_file import read_key_file, rotate_key_file
from zixly_core.secrets.keys import SecretKey, keys_in
from zixly_core.secrets.kms import PURPOSE, Kms
from zixly_core.secrets.new_keys import new_key
from zixly_core.secrets.wrapped_keys import WrappingKey, unwrapped

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("aws_credentials")]

SECRET, HERE = b"refresh-token", "grant-1"
KEY, BLOB = b"k" * 32, b"wrapped-and-opaque"


@pytest.fixture(autouse=True)
def _forget_keys() -> Iterator[None]:
    unwrapped.cache_clear()
    yield
    unwrapped.cache_clear()


@pytest.fixture
def wrapping(aws_server: AwsServer) -> str:
    """A key of the emulator's KMS."""
    client = boto3.client("kms", region_name=REGION, endpoint_url=aws_server.endpoint)
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    return f"awskms:{key_id}?region={REGION}&endpoint={aws_server.endpoint}"


def test_what_is_written_down_of_a_wrapped_key_opens_only_with_kms(wrapping: str) -> None:
    made = new_key(wrapping=wrapping)
    assert SecretKey(made.value).text not in made.text
    (read,) = keys_in(made.text, source="the test")
    sealed = SecretBox([made]).seal(SECRET, context=HERE)
    assert SecretBox([read]).open(sealed, context=HERE) == SECRET
    assert read.text == made.text


def test_kms_is_asked_once_for_a_key(wrapping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = new_key(wrapping=wrapping)
    keys_in(made.text, source="the test")
    monkeypatch.setattr(Kms, "at", lambda _key: pytest.fail("KMS was asked again"))
    assert keys_in(made.text, source="the test") == (made,)


def test_the_next_key_of_a_file_is_wrapped_by_the_same_key(wrapping: str, tmp_path: Path) -> None:
    path = tmp_path / "secrets.key"
    path.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    path.write_text(new_key(wrapping=wrapping).text)
    rotate_key_file(path)
    newest, oldest = read_key_file(path)
    assert newest.text.startswith("awskms:")
    assert WrappingKey.of(newest.text) == WrappingKey.of(oldest.text) == WrappingKey.of(wrapping)
    assert newest.id != oldest.id


def test_plain_and_wrapped_keys_stand_side_by_side(wrapping: str) -> None:
    """As they do while one changes from a plain key to a wrapped one."""
    plain, wrapped = SecretKey(b"p" * 32), new_key(wrapping=wrapping)
    assert keys_in(f"{wrapped.text},{plain.text}", source="the test") == (wrapped, plain)


def test_a_key_that_another_kms_key_wrapped_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator opens it all the same; AWS does not."""
    kms, stub = stubbed()
    stub.add_client_error("decrypt", service_error_code="IncorrectKeyException")
    monkeypatch.setattr(Kms, "at", lambda _key: kms)
    blob = "d3JhcHBlZA=="
    with stub, pytest.raises(SettingsError, match=r"could not be unwrapped: .*IncorrectKeyException") as caught:
        keys_in(f"awskms:alias/other#{blob}", source="the test")
    assert blob not in str(caught.value)


@pytest.mark.parametrize("wrong", ["awskms:", "awskms:#AAAA", "awskms:alias/zixly#not base64!"])
def test_a_wrapped_key_that_is_not_whole_stops_the_start(wrong: str) -> None:
    with pytest.raises(SettingsError):
        unwrapped(wrong)


def stubbed() -> tuple[Kms, Stubber]:
    client = aws_client("kms", region=REGION, endpoint=None, read_timeout_seconds=1)
    return Kms(client, "alias/zixly"), Stubber(client)


def test_the_purpose_and_the_key_are_told_to_kms_each_time() -> None:
    kms, stub = stubbed()
    stub.add_response("encrypt", {"CiphertextBlob": BLOB}, {"KeyId": "alias/zixly", "Plaintext": KEY, "EncryptionContext": PURPOSE})
    stub.add_response("decrypt", {"Plaintext": KEY}, {"KeyId": "alias/zixly", "CiphertextBlob": BLOB, "EncryptionContext": PURPOSE})
    with stub:
        assert kms.unwrapped(kms.wrapped(KEY)) == KEY
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "error"),
    [("AccessDeniedException", Permanent), ("IncorrectKeyException", Permanent), ("ThrottlingException", Transient)],
)
def test_what_kms_refuses_is_told_without_the_key(code: str, error: type[Exception]) -> None:
    kms, stub = stubbed()
    stub.add_client_error("encrypt", service_error_code=code, service_message=KEY.decode())
    with stub, pytest.raises(error, match=code) as caught:
        kms.wrapped(KEY)
    assert KEY.decode() not in str(caught.value)
