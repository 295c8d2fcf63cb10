from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from zixly_core.errors import StoreUnavailable
from zixly_core.logs import PLAIN, configure_logs
from zixly_core.redaction import masked


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs(log_format="json", level="info", process="bridge", stream=stream)
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers, root.level = handlers, level


def line(output: io.StringIO) -> dict[str, Any]:
    (only,) = output.getvalue().splitlines()
    document: dict[str, Any] = json.loads(only)
    return document


def test_a_line_is_an_event_with_its_fields_its_process_and_the_request(output: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(request_id="r1")
    structlog.get_logger().info("delivery_stored", system="xero", jobs=2)
    written = line(output)
    assert written.pop("timestamp").endswith("Z")
    expected = {"event": "delivery_stored", "level": "info", "process": "bridge", "request_id": "r1", "system": "xero", "jobs": 2}
    assert written == expected


def test_secrets_and_bytes_are_never_written_wherever_they_stand(output: io.StringIO) -> None:
    secret = SecretStr("top-secret")
    structlog.get_logger().info("tried", token=secret, body=b"top-secret", inner={"list": [secret, b"top-secret"]})
    assert "top-secret" not in output.getvalue()
    assert line(output)["inner"] == {"list": ["**********", "<10 bytes>"]}


def test_the_text_of_a_strange_error_is_left_out_and_of_ours_is_told(output: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError("person@example.test")

    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("failed")
    written = line(output)
    assert "person@example.test" not in output.getvalue()
    assert written["error_type"] == "ValueError"
    assert written["error_at"][-1].startswith("test_logs.py:")
    output.truncate(output.seek(0))
    structlog.get_logger().error("failed", exc_info=StoreUnavailable("Postgres is away."))
    assert (line(output)["error"], line(output)["reason"]) == ("Postgres is away.", "store_unavailable")


def test_lines_of_libraries_look_the_same(output: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("started %s", "well")
    assert {"event": "started well", "level": "warning", "process": "bridge"}.items() <= line(output).items()


def test_what_is_below_the_level_is_not_written(output: io.StringIO) -> None:
    structlog.get_logger().debug("detail")
    logging.getLogger("library").debug("detail")
    assert output.getvalue() == ""


def test_the_urls_that_we_call_are_not_logged(output: io.StringIO) -> None:
    """They hold tokens in their paths and customers' addresses in their queries."""
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200))
    with httpx2.Client(transport=transport) as client:
        client.get("https://api.vendor.test/webhook/callbacks/a-secret-token", params={"where": "ada@example.test"})
    assert output.getvalue() == ""


@given(st.from_regex(PLAIN, fullmatch=True))
def test_what_is_written_without_a_look_could_not_be_masked_anyway(text: str) -> None:
    assert masked(text) == text
