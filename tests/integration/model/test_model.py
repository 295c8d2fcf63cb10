"""The promises hold through whatever hypothesis makes of a job's life (docs/decisions/0037-the-model.md)."""

from __future__ import annotations

import pytest

from tests.integration.model.telling import tell_stories
from tests.support.full import IS_FULL

pytestmark = pytest.mark.integration


@pytest.mark.timeout(7_200 if IS_FULL else 400)
@pytest.mark.usefixtures("world")
def test_the_promises_hold_whatever_happens_between_any_two_steps() -> None:
    tell_stories()
