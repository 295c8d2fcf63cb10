"""What we kept and read again, and what people, providers and vendors tell us in other forms than a delivery."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2
import orjson
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.support.deliveries import recorded_one
from tests.unit.parsers.test_addresses import addresses
from webhook_bridge.json_depth import is_too_deep
from zixly_core.api_limits import report_of_headers
from zixly_core.archive_members import packed, unpacked
from zixly_core.edited_payloads import READERS, check_edited
from zixly_core.errors import MalformedPayload, Permanent, Rejected, SettingsError
from zixly_core.kept_requests import opened_request
from zixly_core.kept_requests import packed as packed_request
from zixly_core.kept_requests import unpacked as unpacked_request
from zixly_core.log_lines import readable
from zixly_core.notifications.email import recipients_in, smtp_server
from zixly_core.notifications.slack import slack_target
from zixly_core.openid.provider import Discovery, refuse_unsafe
from zixly_core.openid.setting_up import refuse_issuer
from zixly_core.outgoing import named_places
from zixly_core.payload_paths import PayloadPath, path_from, plain_number, wanted_value
from zixly_core.redaction import masked
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.keys import SecretKey, keys_in
from zixly_core.secrets.wrapped_keys import WrappingKey
from zixly_core.settings import Settings
from zixly_core.token_store import unpacked as unpacked_tokens

pytestmark = pytest.mark.unit
MARKER = "pa55word"
IDS = [UUID(int=number) for number in range(1, 4)]
REQUEST = recorded_one("xero", "03-invoice-update").request()
BOX = SecretBox([SecretKey(b"k" * 32)])
SEALED = BOX.seal(packed_request(REQUEST), context=str(IDS[0]))
texts = st.text(max_size=40)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(
    head=st.fixed_dictionaries({"id": json_values | st.just(str(IDS[0])), "bytes": json_values | st.integers(-40, 40)}) | json_values,
    rest=st.binary(max_size=30),
)
@example(head={"id": str(IDS[0]), "bytes": -50}, rest=b"\n")
@example(head=["id"], rest=b"\n")
@example(head={"id": 5, "bytes": 0}, rest=b"\n")
def test_an_archive_that_says_anything_is_read_or_damaged(head: object, rest: bytes) -> None:
    """A member of less than no bytes had been read for ever."""
    with suppress(Permanent):
        unpacked(gzip.compress(orjson.dumps(head) + b"\n" + rest), key="k")


@given(position=st.integers(min_value=0), mask=st.integers(1, 255), members=st.dictionaries(st.sampled_from(IDS), st.binary(max_size=40)))
def test_an_archive_with_any_byte_changed_is_damaged_or_the_same(position: int, mask: int, members: dict[UUID, bytes]) -> None:
    piece = bytearray(packed(members))
    piece[position % len(piece)] ^= mask
    with suppress(Permanent):
        assert unpacked(bytes(piece), key="k") == members


@given(position=st.integers(min_value=0), mask=st.integers(1, 255))
def test_a_kept_request_opens_as_it_came_or_not_at_all(position: int, mask: int) -> None:
    assert opened_request(SEALED, delivery_id=IDS[0], box=BOX) == unpacked_request(packed_request(REQUEST))
    sealed = bytearray(SEALED)
    sealed[position % len(sealed)] ^= mask
    for other in ((bytes(sealed), IDS[0]), (SEALED, IDS[1])):
        with pytest.raises(Permanent):
            opened_request(other[0], delivery_id=other[1], box=BOX)


@given(data=st.binary(max_size=60) | json_values.map(orjson.dumps) | st.fixed_dictionaries({"expires_at": json_values}).map(orjson.dumps))
def test_kept_tokens_are_read_or_refused_without_being_repeated(data: bytes) -> None:
    try:
        tokens = unpacked_tokens(data)
    except Permanent as error:
        assert error.reason == "unreadable_tokens"  # noqa: PT017
        return
    assert tokens.expires_at is None or tokens.expires_at.tzinfo is not None


@given(text=texts | addresses.map("awskms:{}".format) | st.binary(max_size=40).map(repr))
@example(text=f"{MARKER},{MARKER}")
@example(text="awskms://[")
def test_keys_are_32_bytes_each_or_refused_without_being_repeated(text: str) -> None:
    try:
        keys = keys_in(text, source="the test", unwrap=lambda wrapped: WrappingKey.of(wrapped).name.encode())
    except SettingsError as error:
        assert MARKER not in str(error)  # noqa: PT017
        return
    assert {len(key.value) for key in keys} == {32}


@given(url=addresses)
@example(url="https://[")
def test_a_wrapping_key_and_a_provider_are_named_by_an_address_or_refused(url: str) -> None:
    with suppress(SettingsError):
        WrappingKey.of(f"awskms:{url}")
    with suppress(SettingsError):
        refuse_issuer(url, sandbox_url="http://127.0.0.1:3010", is_production=True)
        assert url.lower().startswith("https:")
    with suppress(Permanent):
        refuse_unsafe(Discovery(issuer="i", authorization_endpoint=url, token_endpoint=url, jwks_uri=url), is_production=True)
        assert url.lower().lstrip().startswith("https:")


@given(url=addresses)
def test_mail_and_messages_go_where_they_may_or_nowhere(url: str) -> None:
    try:
        server = smtp_server(url)
        assert server.host
        assert 0 <= server.port < 65_536
    except SettingsError as error:
        assert MARKER not in str(error)  # noqa: PT017
    with suppress(Rejected):
        assert slack_target(url, Settings(environment="production")).startswith("https://hooks.slack")


@given(text=texts | st.lists(st.emails(), max_size=3).map(", ".join))
def test_addresses_of_people_are_told_apart_or_refused(text: str) -> None:
    with suppress(Rejected):
        found = recipients_in(text)
        assert recipients_in(",".join(found)) == found
        assert not any(character in "".join(found) for character in "\r\n,; ")


@given(text=texts | addresses)
def test_named_hosts_are_hosts_or_refused(text: str) -> None:
    with suppress(SettingsError):
        assert all(place.host for place in named_places(text))


steps = st.lists(st.none() | st.integers(0, 10**6) | texts.filter(lambda text: text and "'" not in text), max_size=5).map(tuple)


@given(steps=steps)
def test_a_path_is_read_as_it_is_written(steps: tuple[str | int | None, ...]) -> None:
    path = PayloadPath(steps)
    assume(len(str(path)) <= 500)
    assert path_from(str(path)) == path


@given(text=texts.map("${}".format) | texts | st.text("$.[]*'a0 ", max_size=20).map("${}".format))
def test_any_text_is_a_path_that_can_be_written_again_or_refused(text: str) -> None:
    with suppress(MalformedPayload):
        path = path_from(text)
        assert path_from(str(path)) == path


@given(document=json_values, steps=steps, value=texts | st.integers().map(str) | st.floats(allow_nan=False).map(str))
def test_any_payload_is_searched_and_what_is_found_stands_in_it(document: object, steps: tuple[str | int | None, ...], value: str) -> None:
    assume(len(str(PayloadPath(steps))) <= 500)
    assume(not any("\ud800" <= character <= "\udfff" for character in value))
    wanted = wanted_value(str(PayloadPath(steps)), value)
    payload = orjson.dumps(document)
    if wanted.is_in(payload) and wanted.number is None:
        assert any(part in payload for part in wanted.written)


@given(text=st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,6})?([eE][+-]?[0-9]{1,2})?", fullmatch=True) | texts)
def test_a_number_is_written_in_one_way(text: str) -> None:
    plain = plain_number(text)
    if plain is not None:
        assert Decimal(plain) == Decimal(text)
        assert plain_number(plain) == plain
        assert plain_number(f"{text}e0" if "e" not in text.lower() else text) == plain


def depth_of(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@given(document=json_values, depth=st.integers(0, 5))
def test_how_deep_a_text_is_needs_no_parser(document: object, depth: int) -> None:
    assert is_too_deep(json.dumps(document).encode(), depth=depth) == (depth_of(document) > depth)


@given(body=st.binary(max_size=200) | st.text('[]{}"\\a', max_size=60).map(str.encode))
def test_any_bytes_have_a_depth(body: bytes) -> None:
    assert is_too_deep(body, depth=4) in {True, False}


@pytest.mark.parametrize("workflow", sorted({*READERS, "nobody's"}))
@given(
    payload=st.dictionaries(
        texts | st.sampled_from(["strategy", "tickers", "callback", "type", "customer", "orders_requested"]), json_values, max_size=4
    )
)
def test_an_edited_payload_is_one_or_refused(workflow: str, payload: dict[str, object]) -> None:
    with suppress(Rejected):
        check_edited(workflow, payload)


@given(text=st.text(st.characters(max_codepoint=255), max_size=40) | st.integers().map(str))
def test_what_a_vendor_says_of_its_limits_is_a_number_or_nothing(text: str) -> None:
    answer = httpx2.Response(200, headers=[(b"x-left", text.encode("latin-1", errors="replace").replace(b"\n", b"").replace(b"\r", b""))])
    found = report_of_headers({"x-left": "minute"})(answer)
    assert all(level.left >= 0 for level in found.levels.values())


@given(
    line=texts
    | json_values.map(json.dumps)
    | json_values.map(lambda value: json.dumps({"event": value, "level": value, "timestamp": value, "error_at": value}))
)
def test_any_line_of_a_log_can_be_shown(line: str) -> None:
    assert isinstance(readable(line, colours=False), str)
    assert isinstance(readable(line, colours=True), str)


@given(before=texts, after=texts)
def test_a_password_in_an_address_is_masked_wherever_it_stands(before: str, after: str) -> None:
    text = f"{before} redis://:{MARKER}@host:6379/0 {after}"
    assert MARKER not in masked(text)
    assert masked(masked(text)) == masked(text)
