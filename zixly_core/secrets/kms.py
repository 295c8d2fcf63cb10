"""AWS KMS as a key-encryption key (docs.aws.amazon.com/kms/latest/developerguide/concepts.html#enveloping)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zixly_core.aws import aws_client, translated
from zixly_core.errors import Transient
from zixly_core.secrets.wrapped_keys import WrappingKey

READ_TIMEOUT_SECONDS = 10
# Authenticated by KMS, and what a key policy can demand: what was wrapped for something else does not unwrap here.
PURPOSE = {"purpose": "zixly secret key"}


@dataclass(frozen=True)
class Kms:
    """`KeyWrapper` of one key. Safe to share between threads."""

    client: Any
    key: str

    @classmethod
    def at(cls, wrapping_key: WrappingKey) -> Kms:
        client = aws_client("kms", region=wrapping_key.region, endpoint=wrapping_key.endpoint, read_timeout_seconds=READ_TIMEOUT_SECONDS)
        return cls(client, wrapping_key.name)

    def wrapped(self, key: bytes) -> bytes:
        with translated(f"wrap a key with {self.key}", unavailable=Transient, reason="kms"):
            answer = self.client.encrypt(KeyId=self.key, Plaintext=key, EncryptionContext=PURPOSE)
        wrapped: bytes = answer["CiphertextBlob"]
        return wrapped

    def unwrapped(self, wrapped: bytes) -> bytes:
        """The key is named, so that nothing wrapped by a stranger's key is taken."""
        with translated(f"unwrap a key with {self.key}", unavailable=Transient, reason="kms"):
            answer = self.client.decrypt(KeyId=self.key, CiphertextBlob=wrapped, EncryptionContext=PURPOSE)
        key: bytes = answer["Plaintext"]
        return key
