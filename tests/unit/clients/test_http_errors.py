"""The one table from HTTP failures to errors of ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.clients.vendor import answered
from zixly_core.errors import BudgetSpent, Disconnected, Permanent, RecordGone, Transient
from zixly_core.http_errors import failure_of
from zixly_core.job import failure_from

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def failure(answer: httpx2.Response | httpx2.HTTPError, *, system: str = "xero") -> Transient | Permanent:
    return failure_of(answer, system=system, operation="read 1 invoices (8694c9c5)", now=NOW)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (302, Permanent, "unexpected_answer"),
        (400, Permanent, "refused"),
        (401, Transient, "unauthorized"),
        (402, Permanent, "payment_required"),
        (403, Permanent, "forbidden"),
        (404, RecordGone, "record_gone"),
        (408, Transient, "timeout"),
        (409, Permanent, "conflict"),
        (410, RecordGone, "record_gone"),
        (415, Permanent, "refused"),
        (423, Transient, "record_locked"),
        (429, BudgetSpent, "rate_limited_unknown"),
        (477, Transient, "account_moving"),
        (500, Transient, "vendor_unavailable"),
        (503, Transient, "vendor_unavailable"),
        (524, Transient, "vendor_unavailable"),
    ],
)
def test_a_status_decides_whether_another_try_helps(status: int, kind: type[Exception], reason: str) -> None:
    error = failure(httpx2.Response(status))
    assert type(error) is kind
    assert error.reason == reason
    assert f"xero answered {status} when asked to read 1 invoices (8694c9c5)." in str(error)


@given(status=st.integers(min_value=300, max_value=599), content=st.binary(max_size=200), header=st.text(max_size=20))
def test_no_status_body_or_header_is_without_an_error_and_none_disconnects(status: int, content: bytes, header: str) -> None:
    headers = [(name, header.encode("utf-8")) for name in (b"retry-after", b"x-rate-limit-problem")]
    error = failure(httpx2.Response(status, content=content, headers=headers))
    assert isinstance(error, Transient | Permanent)
    assert not isinstance(error, Disconnected)


@pytest.mark.parametrize(
    ("headers", "reason", "wait"),
    [
        ({"X-Rate-Limit-Problem": "minute", "Retry-After": "27"}, "rate_limited_minute", timedelta(seconds=27)),
        ({"X-Rate-Limit-Problem": "Day", "Retry-After": "41000"}, "rate_limited_day", timedelta(seconds=41000)),
        ({"X-Rate-Limit-Problem": "day"}, "rate_limited_day", timedelta(hours=1)),
        ({"X-Rate-Limit-Problem": "appminute"}, "rate_limited_app_minute", timedelta(minutes=1)),
        ({"X-Rate-Limit-Problem": "concurrent"}, "rate_limited_concurrent", timedelta(seconds=1)),
        ({"Retry-After": "0"}, "rate_limited_unknown", timedelta(seconds=10)),
        ({"Retry-After": "Sun, 22 Nov 2026 10:00:30 GMT"}, "rate_limited_unknown", timedelta(seconds=30)),
        ({"Retry-After": "Sun, 22 Nov 2026 09:00:00 GMT"}, "rate_limited_unknown", timedelta(seconds=10)),
        ({"Retry-After": "99999999"}, "rate_limited_unknown", timedelta(hours=24)),
        ({"Retry-After": "soon"}, "rate_limited_unknown", timedelta(seconds=10)),
    ],
)
def test_a_429_of_xero_parks_the_organisation_for_as_long_as_it_asks(headers: dict[str, str], reason: str, wait: timedelta) -> None:
    error = failure(httpx2.Response(429, headers=headers))
    assert isinstance(error, BudgetSpent)
    assert (error.reason, error.retry_after) == (reason, wait)
    assert failure_from(error).parks, "a spent budget uses up no attempt"


@pytest.mark.parametrize(
    ("policy", "headers", "reason", "wait"),
    [
        ("TEN_SECONDLY_ROLLING", {}, "rate_limited_interval", timedelta(seconds=10)),
        (
            "TEN_SECONDLY_ROLLING",
            {"X-HubSpot-RateLimit-Interval-Milliseconds": "4000"},
            "rate_limited_interval",
            timedelta(seconds=4),
        ),
        ("SECONDLY", {}, "rate_limited_second", timedelta(seconds=1)),
        ("DAILY", {"X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}, "rate_limited_day", timedelta(hours=1)),
    ],
)
def test_a_429_of_hubspot_is_told_by_its_policy_name(policy: str, headers: dict[str, str], reason: str, wait: timedelta) -> None:
    body = {"status": "error", "message": "You have reached your limit", "errorType": "RATE_LIMIT", "policyName": policy}
    error = failure(answered(body, status=429, headers=headers), system="hubspot")
    assert isinstance(error, BudgetSpent)
    assert (error.reason, error.retry_after) == (reason, wait)


def test_a_locked_record_waits_two_seconds_and_an_account_that_moves_as_long_as_it_says() -> None:
    locked, moving = failure(httpx2.Response(423)), failure(httpx2.Response(477, headers={"Retry-After": "7200"}))
    assert isinstance(locked, Transient)
    assert locked.retry_after == timedelta(seconds=2)
    assert isinstance(moving, Transient)
    assert moving.retry_after == timedelta(hours=2)


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (httpx2.ReadTimeout("x"), Transient, "timeout"),
        (httpx2.PoolTimeout("x"), Transient, "timeout"),
        (httpx2.ConnectError("x"), Transient, "connection_failed"),
        (httpx2.RemoteProtocolError("x"), Transient, "connection_failed"),
        (httpx2.DecodingError("x"), Transient, "unreadable_answer"),
        (httpx2.UnsupportedProtocol("x"), Permanent, "bad_url"),
    ],
)
def test_a_broken_connection_is_transient_and_a_wrong_url_is_not(error: httpx2.HTTPError, kind: type[Exception], reason: str) -> None:
    found = failure(error)
    assert type(found) is kind
    assert found.reason == reason


def test_a_message_names_machine_words_and_the_correlation_id_and_nothing_personal() -> None:
    body = {
        "status": "error",
        "message": 'Property values were not valid: ada.lovelace@example.test "Ada"',
        "correlationId": "9e4f0d6a-7f0c-4c51-9d8e-6a0b1e1f2a3b",
        "category": "VALIDATION_ERROR",
        "errors": [
            {
                "message": "ada.lovelace@example.test is no date",
                "code": "INVALID_DATE",
                "context": {"propertyName": ["xero_last_paid_at"]},
            }
        ],
    }
    text = str(failure(answered(body, status=400), system="hubspot"))
    assert "VALIDATION_ERROR, INVALID_DATE, xero_last_paid_at, correlation id 9e4f0d6a" in text
    assert "ada" not in text.lower()


def test_the_correlation_id_of_xero_comes_from_its_header_and_a_forged_one_is_left_out() -> None:
    told = failure(httpx2.Response(500, headers={"Xero-Correlation-Id": "b7c1a5"}))
    forged = failure(httpx2.Response(500, headers={"Xero-Correlation-Id": "x\ty please click"}))
    assert "(correlation id b7c1a5)" in str(told)
    assert "click" not in str(forged)
