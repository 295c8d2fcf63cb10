from __future__ import annotations

import json
from time import process_time

import pytest
from starlette.types import Message, Receive, Scope, Send

from webhook_bridge.bounded import Bounded
from webhook_bridge.json_depth import is_too_deep


@pytest.mark.parametrize(
    ("body", "is_deep"),
    [
        (b"", False),
        (b"[" * 4 + b"]" * 4, False),
        (b"[" * 5 + b"]" * 5, True),
        (b'{"a":' * 5 + b"1" + b"}" * 5, True),
        (b"[" * 5, True),
        (b"[[],[],[],[],[],[]]", False),
        (json.dumps(["[[[[[[[[[[", '"[[[[[[[[', "\\", {"{{{{{{": 1}]).encode(), False),
        (json.dumps(["\\", [[[["x"]]]]]).encode(), True),
        (b'"[[[[[[[[[[', False),
    ],
)
def test_brackets_that_are_open_at_once_are_counted_and_those_in_texts_are_not(body: bytes, is_deep: bool) -> None:
    assert is_too_deep(body, depth=4) is is_deep


UNENDING = b'"' + b'\\"' * 400_000 + b"\\" + b"[" * 100


@pytest.mark.parametrize(
    "body", [UNENDING, b'["' * 300_000, b'"' * 800_000 + b"[" * 100, b"[]" * 400_000], ids=["text", "texts", "quotes", "[]"]
)
def test_no_body_takes_long_to_look_at(body: bytes) -> None:
    began = process_time()
    is_too_deep(body)
    assert process_time() - began < 2


async def test_a_body_that_is_too_deep_is_refused_without_waiting_for_more() -> None:
    """It took two seconds: what had come whole was waited for once more."""
    coming: list[Message] = [{"type": "http.request", "body": b"[" * 100, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    await Bounded(never)({"type": "http", "method": "POST", "path": "/api/pauses", "headers": []}, receive, send)
    assert sent[0]["status"] == 400
