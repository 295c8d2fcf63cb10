"""Small secrets (tokens, signing keys) sealed before they are stored: nobody with the database alone can read, change or move them.

AES-256-GCM of the package `cryptography` (cryptography.io/en/latest/hazmat/primitives/aead/). Fernet, which needs less care,
has no associated data, and without it a secret copied to another tenant's row would open there.

A sealed secret is: version (1 byte, 1), id of the key (8), nonce (12), ciphertext with its tag (16 longer than the secret).
Version, key id and context are authenticated. Nonces are random, so a key is good for 2**32 seals (NIST SP 800-38D, 8.3).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zixly_core.errors import Permanent
from zixly_core.secrets import key_source_of
from zixly_core.secrets.key_sources import FixedKeys, KeySource
from zixly_core.secrets.keys import ID_BYTES, SecretKey
from zixly_core.settings import Settings

VERSION = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16
HEADER_BYTES = len(VERSION) + ID_BYTES


@dataclass(frozen=True)
class Ring:
    """Keys and their ciphers."""

    keys: tuple[SecretKey, ...]
    ciphers: Mapping[bytes, AESGCM] = field(repr=False)

    @classmethod
    def of(cls, keys: tuple[SecretKey, ...]) -> Ring:
        return cls(keys, {key.id: AESGCM(key.value) for key in keys})

    @property
    def newest(self) -> bytes:
        return self.keys[0].id


class SecretBox:
    """Seals with the newest key, opens with any. Safe to share between threads; keeps no secret but the keys."""

    def __init__(self, keys: Sequence[SecretKey] | KeySource, *, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        """`keys`: newest first, at least one; or where they come from."""
        self._source = FixedKeys(keys) if isinstance(keys, Sequence) else keys
        self._ring = Ring.of(self._source.keys())
        self._random_bytes = random_bytes

    def __repr__(self) -> str:
        return f"SecretBox(keys={len(self._ring.keys)}, newest={self._ring.newest.hex()})"

    @classmethod
    def from_settings(cls, settings: Settings) -> SecretBox:
        """The box with the keys of ZIXLY_SECRETS_KEY or ZIXLY_SECRETS_KEY_FILE, as they are at each moment. Raises `SettingsError`."""
        return cls(key_source_of(settings))

    @property
    def key_ids(self) -> tuple[bytes, ...]:
        """The ids of the keys, newest first."""
        return tuple(key.id for key in self._present().keys)

    def seal(self, data: bytes, *, context: str) -> bytes:
        """The secret as it may be stored. It opens only with the same `context`, such as the id of the row's connection."""
        ring = self._present()
        header = VERSION + ring.newest
        nonce = self._random_bytes(NONCE_BYTES)
        return header + nonce + ring.ciphers[ring.newest].encrypt(nonce, data, header + context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """The secret. Raises `Permanent` when it is not one of ours, its key is gone, or it was changed or moved."""
        if len(sealed) < HEADER_BYTES + NONCE_BYTES + TAG_BYTES or not sealed.startswith(VERSION):
            raise Permanent(f"The secret of {context} is not in the format of this program.", reason="secret_unreadable")
        header, nonce = sealed[:HEADER_BYTES], sealed[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES]
        cipher = self._cipher_of(key_id_of(sealed))
        if cipher is None:
            text = f"The secret of {context} was sealed with key {key_id_of(sealed).hex()}, which is not among the keys set."
            raise Permanent(text, reason="secret_key_missing")
        try:
            return cipher.decrypt(nonce, sealed[HEADER_BYTES + NONCE_BYTES :], header + context.encode())
        except InvalidTag as error:
            text = f"The secret of {context} was changed, or belongs to another row; enter it again."
            raise Permanent(text, reason="secret_not_authentic") from error

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was sealed with the newest key. When all are, the older keys may go."""
        return sealed.startswith(VERSION + self._present().newest)

    def resealed(self, sealed: bytes, *, context: str) -> bytes:
        """The same secret under the newest key. Raises as `open`."""
        return self.seal(self.open(sealed, context=context), context=context)

    def _cipher_of(self, key_id: bytes) -> AESGCM | None:
        """An unknown key may have been added elsewhere a moment ago."""
        cipher = self._present().ciphers.get(key_id)
        return cipher or self._ring_of(self._source.keys_anew()).ciphers.get(key_id)

    def _present(self) -> Ring:
        return self._ring_of(self._source.keys())

    def _ring_of(self, keys: tuple[SecretKey, ...]) -> Ring:
        ring = self._ring
        if keys is not ring.keys:
            ring = self._ring = Ring.of(keys)
        return ring


def key_id_of(sealed: bytes) -> bytes:
    return sealed[len(VERSION) : HEADER_BYTES]
