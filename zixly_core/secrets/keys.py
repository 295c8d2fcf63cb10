"""The keys that secrets are sealed with: 32 random bytes, written as 44 characters of URL-safe base64 (as Fernet keys are).

A key may itself be wrapped by a key that never leaves AWS KMS (envelope encryption); then its wrapped form is what is written down.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from zixly_core.errors import SettingsError
from zixly_core.secrets.wrapped_keys import WRAPPED, unwrapped

KEY_BYTES = 32
ID_BYTES = 8
SEPARATORS = re.compile(r"[,\s]+")


@dataclass(frozen=True)
class SecretKey:
    """A key, and the id by which a sealed secret names it. The id tells nothing about the key."""

    value: bytes = field(repr=False)
    wrapped: str | None = field(default=None, repr=False, compare=False)
    """As it is written down, where it is wrapped."""

    @property
    def id(self) -> bytes:
        return hashlib.sha256(b"zixly secret key id\0" + self.value).digest()[:ID_BYTES]

    @property
    def text(self) -> str:
        return self.wrapped or base64.urlsafe_b64encode(self.value).decode()


def keys_in(text: str, *, source: str, unwrap: Callable[[str], bytes] = unwrapped) -> tuple[SecretKey, ...]:
    """The keys of a setting or file, newest first, with commas or white space between them. Wrapped ones are unwrapped.

    Raises `SettingsError` naming the `source`, and never repeating what stands in it.
    """
    parts = [part for part in SEPARATORS.split(text) if part]
    if not parts:
        raise SettingsError(f"{source} holds no key; `zixly secrets new-key` prints a new one")
    return tuple(key_of(part, source=source, unwrap=unwrap) for part in parts)


def key_of(text: str, *, source: str, unwrap: Callable[[str], bytes]) -> SecretKey:
    is_wrapped = text.startswith(WRAPPED)
    try:
        value = unwrap(text) if is_wrapped else base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != KEY_BYTES:
        raise SettingsError(f"{source} holds something that is not a key: {KEY_BYTES} bytes in URL-safe base64 are wanted") from None
    return SecretKey(value, wrapped=text if is_wrapped else None)
