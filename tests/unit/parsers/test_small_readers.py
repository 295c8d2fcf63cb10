"""Small readers of one field each: any value that JSON can say is read or refused by an error of ours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.parsers.test_kept_and_given import json_values, texts
from zixly_core.accounts import accounts_in
from zixly_core.api_limits import number_in
from zixly_core.drifts import day_in
from zixly_core.errors import Permanent, SettingsError, ZixlyError
from zixly_core.notifications.email import sender_in
from zixly_core.object_store import checked_key
from zixly_core.secret_references import SecretReference, value_in

pytestmark = pytest.mark.unit
FIELD = SecretReference(name="name", key="field", region=None, endpoint=None)
READERS: dict[str, Callable[[Any], object]] = {
    "accounts": lambda value: accounts_in(value, id_field="id", name_field="name", system="xero"),
    "a number": lambda value: number_in({"x": value}, "x", default=1.0),
}
OF_TEXTS: dict[str, Callable[[str], object]] = {
    "a day": day_in,
    "a sender": sender_in,
    "a field of a secret": lambda text: value_in(text, FIELD),
}


@pytest.mark.parametrize("what", READERS)
@given(value=json_values | st.lists(st.dictionaries(st.sampled_from(["id", "name"]), json_values, max_size=2), max_size=2))
def test_any_value_is_read_or_refused(what: str, value: object) -> None:
    with suppress(ZixlyError):
        READERS[what](value)


@pytest.mark.parametrize("what", OF_TEXTS)
@given(text=texts | st.datetimes().map(str) | st.emails() | st.just("[1]") | st.just('{"field": 1}'))
def test_any_text_is_read_or_refused(what: str, text: str) -> None:
    with suppress(SettingsError):
        OF_TEXTS[what](text)


@given(key=texts | st.from_regex(r"[a-zA-Z0-9._/-]{0,30}", fullmatch=True))
def test_a_key_of_an_object_leads_nowhere_else(key: str) -> None:
    with suppress(Permanent):
        assert checked_key(key) == key
        assert not key.startswith("/")
        assert {"", ".", ".."}.isdisjoint(key.split("/"))
        assert key.isascii()
