from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.sandbox import SandboxCaller


@pytest.fixture
async def caller() -> AsyncIterator[SandboxCaller]:
    made = SandboxCaller()
    async with made.http:
        yield made
