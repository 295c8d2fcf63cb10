"""Deliveries of our own making."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from zixly_cli.deliveries import sample_maker, xero_delivery
from zixly_core.errors import InvalidSignature, SettingsError
from zixly_core.system import IncomingRequest
from zixly_core.systems import SYSTEMS

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def as_request(records: list[str], *, key: str) -> IncomingRequest:
    made = xero_delivery(records, account="org", key=key, now=NOW)
    headers = {name.lower(): value for name, value in made.headers.items()}
    return IncomingRequest(method="POST", url="http://x/webhook/xero", headers=headers, body=made.body, received_at=NOW)


def test_a_sample_is_what_the_system_itself_would_accept() -> None:
    request = as_request(["a", "b"], key="key")
    profile = SYSTEMS["xero"].profile
    profile.verify(request, secrets=["key"])
    assert [(event.record_id, event.external_id, event.occurred_at) for event in profile.read(request).events] == [
        ("a", "org", NOW),
        ("b", "org", NOW),
    ]


def test_a_sample_under_another_key_is_refused() -> None:
    with pytest.raises(InvalidSignature):
        SYSTEMS["xero"].profile.verify(as_request(["a"], key="key"), secrets=["other"])


def test_an_unknown_system_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="xero"):
        sample_maker("myob")
