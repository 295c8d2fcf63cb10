"""Where documents and reports are kept. Back ends are in `objects/`, chosen by the scheme of a URL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from zixly_core.errors import Permanent

MAX_KEY_LENGTH = 900


class ObjectStore(Protocol):
    """Keys are paths such as `{tenant}/{job}/document.pdf`. Every call raises `Transient` when the store cannot be used now."""

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Keep the bytes; an object of that key is replaced as a whole or not at all."""

    def get(self, key: str) -> bytes:
        """The bytes. Raises `ObjectNotFound`."""

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Forget the object; one that is not there is forgotten already."""

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that begin with the prefix, in order."""

    def url(self, key: str) -> str:
        """A link for a person, good for an hour at least."""


def checked_key(key: str) -> str:
    """The key, if it is one: relative, without empty, `.` or `..` parts, printable. Raises `Permanent`."""
    parts = key.split("/")
    if not key or len(key) > MAX_KEY_LENGTH or not key.isprintable() or "\\" in key or any(part in {"", ".", ".."} for part in parts):
        raise Permanent(f"An object's key of {len(key)} characters is not a relative path without empty parts.", reason="key_invalid")
    return key
