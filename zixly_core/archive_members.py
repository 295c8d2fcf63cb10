"""What an archive of payloads is made of: members, each with the id of the row that it came from, compressed as one piece.

A gzip file of lines: a line of JSON with a member's id and length, then its bytes and a line feed. Anything that unpacks gzip reads it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from uuid import UUID

import orjson

from zixly_core.errors import Permanent

CONTENT_TYPE = "application/gzip"
# Most of the size is won by then, and an archive of 4 MB takes a tenth of a second.
COMPRESSION = 6


def packed(members: Mapping[UUID, bytes]) -> bytes:
    """The same members always give the same bytes."""
    lines = (orjson.dumps({"id": str(one), "bytes": len(data)}) + b"\n" + data + b"\n" for one, data in sorted(members.items()))
    return gzip.compress(b"".join(lines), compresslevel=COMPRESSION, mtime=0)


def unpacked(piece: bytes, *, key: str) -> dict[UUID, bytes]:
    """The members of an archive. Raises `Permanent` for one that is damaged; `key` names it."""
    try:
        return members_in(gzip.decompress(piece))
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        text = f"The archive {key} cannot be read ({type(error).__name__}); restore the object from a backup."
        raise Permanent(text, reason="archive_damaged") from error


def members_in(text: bytes) -> dict[UUID, bytes]:
    members: dict[UUID, bytes] = {}
    position = 0
    while position < len(text):
        end = text.index(b"\n", position)
        head = orjson.loads(text[position:end])
        length = int(head["bytes"])
        begin, after = end + 1, end + 1 + length
        if length < 0 or text[after : after + 1] != b"\n":
            raise ValueError("a member is cut off")
        members[UUID(head["id"])] = text[begin:after]
        position = after + 1
    return members
