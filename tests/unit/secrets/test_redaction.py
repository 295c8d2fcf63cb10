"""What looks like a secret is masked in texts, and what only resembles one is left to be read."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from zixly_core.errors import Permanent, StoreUnavailable
from zixly_core.logs import configure_logs
from zixly_core.redaction import MASK, masked

JWT = "eyJhbGciOiJSUzI1NiIs.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
HEX = "0123456789abcdef0123456789abcdef"
SECRETS = {
    "url": ("postgresql://zixly_api:MARK/er@db:5432/zixly", "MARK"),
    "redis": ("rediss://:MARKER@cache:6379/0", "MARKER"),
    "bearer": ("Authorization: Bearer MARKER.x-1", "MARKER"),
    "basic": ("authorization: basic TUFSS0VSOng=", "TUFSS0VS"),
    "jwt": (f"Xero took {JWT} no more", "eyJzdWIi"),
    "machine": ("the token zx_MARKERMARKER is over", "MARKER"),
    "callback secret": ("whsec_MARKERMARKERMARKER", "MARKER"),
    "aws": ("key AKIAMARKERMARKERMARK", "MARKER"),
    "shopify": (f"shpat_{HEX}", HEX),
    "shopify refresh": (f"'shprt_{HEX}'", HEX),
    "hubspot app": ("pat-na1-MARK0000-0000-0000".replace("MARK", "abcd"), "abcd0000"),
    "hubspot refresh": ("na1-1a2b-3c4d-5e6f-7a8b9c0d1e2f", "3c4d"),
    "hubspot access": ("CKaQ" + "xMARKERx" * 10, "MARKER"),
    "asana": (f"1/1200000000000001:{HEX}", HEX),
    "asana app": (f"2/1200000000000001/1200000000000002:{HEX}", HEX),
    "form": ("grant_type=refresh_token&refresh_token=MARKER&x=1", "MARKER"),
    "json": ('{"client_secret": "MARKER"}', "MARKER"),
    "python": ("{'access_token': 'MARKER'}", "MARKER"),
    "code": ("GET /connect/xero/callback?code=MARKER&state=1", "MARKER"),
    "path": ("POST /webhook/callbacks/MARKERMARKER answered 401", "MARKER"),
}
PLAIN = [
    "job 01a2053d-334d-7f47-92d7-5203fa2f9480 failed: xero answered 400 (ValidationException) when asked to read 2 invoices (8694c9c5-70)",
    "Postgres could not be used as api (OperationalError); it is tried again by itself.",
    "the error code: 'invalid_grant', reason=forbidden, status code=400",
    "https://go.xero.com/organisationlogin/default.aspx?shortcode=!x&redirecturl=/AccountsReceivable/View.aspx",
    "the token of a connection ended at 2026-11-27T10:00:00+00:00; see docs/connections.md",
    "secretsmanager://zixly/app?region=ap-southeast-2#client_secret",
    "/webhook/xero answered 401, /webhook/shopify/ 202",
]


@pytest.mark.parametrize("kind", SECRETS)
def test_what_looks_like_a_secret_is_masked_and_the_rest_stays(kind: str) -> None:
    text, secret = SECRETS[kind]
    shown = masked(f"before {text} after")
    assert secret not in shown
    assert MASK in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize("text", PLAIN)
def test_what_people_have_to_read_is_left(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("kind", SECRETS)
def test_no_error_of_ours_repeats_one(kind: str) -> None:
    """So it is in no answer, no job, no issue and no notification, which all tell what the error says."""
    text, secret = SECRETS[kind]
    assert secret not in str(Permanent(f"The vendor said: {text}"))


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs(log_format="json", level="info", process="bridge", stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


@pytest.mark.parametrize("kind", SECRETS)
def test_no_line_of_the_log_repeats_one(output: io.StringIO, kind: str) -> None:
    text, secret = SECRETS[kind]
    log = structlog.get_logger()
    log.info("told", detail=text, inner={"list": [text]})
    log.info(text)
    logging.getLogger("library").warning("it said %s", text)
    logging.getLogger("library").warning("it said %s", ValueError(text))
    assert secret not in output.getvalue()
    assert len(output.getvalue().splitlines()) == 4


@pytest.mark.parametrize("name", ["Authorization", "cookie", "X-Hook-Secret", "client_secret", "refresh_token", "X-Shopify-Access-Token"])
def test_under_a_secret_name_nothing_is_written_whatever_it_looks_like(output: io.StringIO, name: str) -> None:
    structlog.get_logger().info("called", headers={name: "plain-words"}, **{name.lower().replace("-", "_"): "plain-words"})
    assert "plain-words" not in output.getvalue()


def test_an_error_among_a_librarys_values_is_told_by_its_type(output: io.StringIO) -> None:
    """As psycopg's pool does: `error connecting in 'pool-1': ...`, and the text may quote the connection's string."""
    logging.getLogger("psycopg.pool").warning("error connecting in %r: %s", "pool-1", OSError("port of MARKER"))
    logging.getLogger("ours").warning("it failed: %s", StoreUnavailable("Postgres is away."))
    first, second = (json.loads(line)["event"] for line in output.getvalue().splitlines())
    assert first == "error connecting in 'pool-1': OSError"
    assert second == "it failed: Postgres is away."
