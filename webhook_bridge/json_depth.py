"""How deeply a JSON text is nested, told without parsing it: a parser that recurses is what a deep one is sent for."""

from __future__ import annotations

import re

MAX_DEPTH = 64
# A whole text, or one that never ends; always matches once begun, so that no input makes it look at anything twice.
TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
OPENING, BRACKETS = b"[{", b"[{]}"
OTHERS = bytes(sorted(set(range(256)) - set(BRACKETS)))


def is_too_deep(body: bytes, *, depth: int = MAX_DEPTH) -> bool:
    """Whether more than `depth` brackets are open at once."""
    if body.count(b"[") + body.count(b"{") <= depth:
        return False
    now = 0
    for bracket in TEXTS.sub(b"", body).translate(None, OTHERS):
        now += 1 if bracket in OPENING else -1
        if now > depth:
            return True
    return False
