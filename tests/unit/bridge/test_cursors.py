from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook_bridge.cursors import cursor_after, page_from
from zixly_core.errors import MalformedPayload
from zixly_core.ids import new_id


def test_a_cursor_leads_to_what_follows_the_last_row() -> None:
    rows = [{"id": new_id(), "created_at": datetime(2026, 11, 22, 1, 2, 3, 456, tzinfo=UTC)} for _ in range(2)]
    cursor = cursor_after(rows, limit=2, age="created_at")
    assert page_from(limit=2, cursor=cursor).after == (rows[-1]["created_at"], rows[-1]["id"])


def test_a_page_that_is_not_full_is_the_last() -> None:
    assert cursor_after([{"id": new_id()}], limit=2, age="created_at") is None


@given(st.text(min_size=1))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(MalformedPayload):
        page_from(limit=1, cursor=text)
