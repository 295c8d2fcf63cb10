"""HMAC-SHA256 as the vendors use it: over the raw bytes, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode


def hmac_base64(key: bytes, message: bytes) -> str:
    """The signature as base64 text."""
    return b64encode(hmac.digest(key, message, hashlib.sha256)).decode()


def is_signed_by_any(given: str, expected: list[str]) -> bool:
    """Whether one of the signatures that we would accept was given. Looks at all of them, so time tells nothing."""
    matches = [hmac.compare_digest(given.encode(), one.encode()) for one in expected]
    return any(matches)


def hmac_hex(key: bytes, message: bytes) -> str:
    """The signature as lower-case hexadecimal text."""
    return hmac.digest(key, message, hashlib.sha256).hex()
