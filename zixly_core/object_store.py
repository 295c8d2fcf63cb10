"""The object store, in our words: whole documents under keys such as `{tenant}/{job}/document.pdf`.

Back ends are in `objects/`, chosen by the scheme of a URL; one contract suite runs on all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from zixly_core.errors import Permanent

# S3 allows 1024 bytes of key (docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html); the rest is for the bucket's prefix.
MAX_KEY_LENGTH = 900
# Characters that need no quoting in a path, a URL or S3. A part begins with none of the dots that a folder would give a meaning.
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=-]{0,199}")


class ObjectStore(Protocol):
    """Put, get, list. Calls raise `Transient` when the store is away or full, `Permanent` when it refuses or a key is wrong.

    A key is either an object or the beginning of other keys, never both.
    """

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Keep `data` whole or not at all; a reader sees the former object or the new one."""

    def get(self, key: str) -> bytes:
        """The object. Raises `ObjectNotFound`."""

    def exists(self, key: str) -> bool:
        """Whether there is such an object. A store that cannot be asked raises; it never means no."""

    def delete(self, key: str) -> None:
        """Forget the object, if it is there."""

    def list(self, prefix: str) -> Iterator[str]:
        """The keys below `prefix`, in order. It names whole parts of a key (`a/b` finds `a/b/c`, not `a/bc`); empty means all."""

    def url(self, key: str) -> str:
        """A link for a person to open now. On S3 it is a credential that lasts an hour: show it, never store it."""


def checked_key(key: str) -> str:
    """The key, when it can be used on every back end; raises `Permanent` otherwise."""
    if len(key) > MAX_KEY_LENGTH or not all(PART.fullmatch(part) for part in key.split("/")):
        text = f"{key[:80]!r} cannot be the key of an object: parts of letters, digits and . _ = - are wanted, with / between them."
        raise Permanent(text, reason="invalid_key")
    return key


def folder_of(prefix: str) -> str:
    """The beginning of all keys below `prefix`: empty, or the prefix with a slash. Raises `Permanent` for what cannot begin a key."""
    return f"{checked_key(prefix.removesuffix('/'))}/" if prefix else ""
