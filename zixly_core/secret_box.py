"""Small secrets (tokens, signing keys) sealed before they are stored: nobody with the database alone can read, change or move them.

AES-256-GCM of the package `cryptography` (cryptography.io/en/latest/hazmat/primitives/aead/). Fernet, which needs less care,
has no associated data, and without it a secret copied to another tenant's row would open there.

A sealed secret is: version (1 byte, 1), id of the key (8), nonce (12), ciphertext with its tag (16 longer than the secret).
Version, key id and context are authenticated. Nonces are random, so a key is good for 2**32 seals (NIST SP 800-38D, 8.3).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zixly_core.errors import Permanent, SettingsError
from zixly_core.secrets import keys_of
from zixly_core.secrets.keys import ID_BYTES, SecretKey
from zixly_core.settings import Settings

VERSION = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16
HEADER_BYTES = len(VERSION) + ID_BYTES


class SecretBox:
    """Seals with the newest key, opens with any. Safe to share between threads; keeps no secret but the keys."""

    def __init__(self, keys: Sequence[SecretKey], *, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        """`keys`: newest first, at least one."""
        if not keys:
            raise SettingsError("A box for secrets needs at least one key")
        self._newest = keys[0].id
        self._ciphers = {key.id: AESGCM(key.value) for key in keys}
        self._random_bytes = random_bytes

    def __repr__(self) -> str:
        return f"SecretBox(keys={len(self._ciphers)}, newest={self._newest.hex()})"

    @classmethod
    def from_settings(cls, settings: Settings) -> SecretBox:
        """The box with the keys of ZIXLY_SECRETS_KEY or ZIXLY_SECRETS_KEY_FILE. Raises `SettingsError`."""
        return cls(keys_of(settings))

    def seal(self, data: bytes, *, context: str) -> bytes:
        """The secret as it may be stored. It opens only with the same `context`, such as the id of the row's connection."""
        header = VERSION + self._newest
        nonce = self._random_bytes(NONCE_BYTES)
        return header + nonce + self._ciphers[self._newest].encrypt(nonce, data, header + context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """The secret. Raises `Permanent` when it is not one of ours, its key is gone, or it was changed or moved."""
        if len(sealed) < HEADER_BYTES + NONCE_BYTES + TAG_BYTES or not sealed.startswith(VERSION):
            raise Permanent(f"The secret of {context} is not in the format of this program.", reason="secret_unreadable")
        header, nonce = sealed[:HEADER_BYTES], sealed[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES]
        cipher = self._ciphers.get(key_id_of(sealed))
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
        return sealed.startswith(VERSION + self._newest)

    def resealed(self, sealed: bytes, *, context: str) -> bytes:
        """The same secret under the newest key. Raises as `open`."""
        return self.seal(self.open(sealed, context=context), context=context)


def key_id_of(sealed: bytes) -> bytes:
    return sealed[len(VERSION) : HEADER_BYTES]
