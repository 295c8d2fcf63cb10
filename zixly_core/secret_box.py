"""Small secrets sealed for the database: AES-256-GCM, bound to the row they belong to.

AES-GCM rather than Fernet because it takes the row's id as associated data: a ciphertext that is copied to another row does not
open there. Form: one byte of version, four of the key's id, twelve of nonce, then ciphertext and tag.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zixly_core.errors import Permanent, SettingsError
from zixly_core.settings import Settings

VERSION = b"\x01"
KEY_BYTES = 32
ID_BYTES = 4
NONCE_BYTES = 12


class SecretBox:
    """Seals with the newest key and opens with any. Safe to share between threads."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Keys as URL-safe base64 of 32 bytes, newest first. Raises `SettingsError`."""
        decoded = [decoded_key(key) for key in keys]
        if not decoded:
            raise SettingsError("There is no key to seal secrets with; set ZIXLY_SECRETS_KEY or ZIXLY_SECRETS_KEY_FILE.")
        self._newest = key_id(decoded[0])
        self._ciphers = {key_id(key): AESGCM(key) for key in decoded}

    def __repr__(self) -> str:
        return f"SecretBox({len(self._ciphers)} keys)"

    @classmethod
    def from_settings(cls, settings: Settings) -> SecretBox:
        """The box of the setting `secrets_key`, else of the file `secrets_key_file`."""
        if settings.secrets_key is not None:
            return cls(split(settings.secrets_key.get_secret_value()))
        if settings.secrets_key_file is not None:
            return cls(split(read_key_file(settings.secrets_key_file)))
        return cls([])

    def seal(self, data: bytes, *, context: str) -> bytes:
        """The sealed data; it opens only with the same context, such as the id of the row it is kept in."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, data, context.encode())
        return VERSION + self._newest + nonce + sealed

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """The data. Raises `Permanent` for another context, another key, or changed bytes."""
        sealed = bytes(sealed)
        version, used, rest = sealed[:1], sealed[1 : 1 + ID_BYTES], sealed[1 + ID_BYTES :]
        cipher = self._ciphers.get(used)
        if version != VERSION or cipher is None:
            raise Permanent(f"The secret of {context} was sealed with a key that is not configured.", reason="secret_unreadable")
        try:
            return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError):
            raise Permanent(f"The secret of {context} does not open: changed, or from another row.", reason="secret_unreadable") from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was sealed with the newest key; others are sealed anew when keys are rotated."""
        return bytes(sealed[1 : 1 + ID_BYTES]) == self._newest


def new_key() -> str:
    """A fresh key."""
    return urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def create_key_file(path: Path) -> None:
    """Write a fresh key to a file that only its owner reads; a file that exists is left alone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(new_key() + "\n")


def read_key_file(path: Path) -> str:
    """The file's text. Raises `SettingsError` when it is missing or others may read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text()
    except OSError as error:
        raise SettingsError(f"ZIXLY_SECRETS_KEY_FILE names {path}, which cannot be read: {error.strerror}.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"ZIXLY_SECRETS_KEY_FILE names {path}, which others may read; run: chmod 600 {path}")
    return text


def split(text: str) -> list[str]:
    return [part for part in text.replace(",", " ").split() if part]


def decoded_key(key: str) -> bytes:
    try:
        decoded = urlsafe_b64decode(key)
    except (NotBase64, ValueError):
        decoded = b""
    if len(decoded) != KEY_BYTES:
        raise SettingsError("A key in ZIXLY_SECRETS_KEY is not the URL-safe base64 of 32 bytes.")
    return decoded


def key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"zixly key id" + key).digest()[:ID_BYTES]
