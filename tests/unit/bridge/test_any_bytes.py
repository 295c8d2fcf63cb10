"""Whatever comes where a proof, a message or a cell is expected: it is read or refused, never an exception that is not ours, and no
proof survives a changed character."""

from __future__ import annotations

import csv
import io
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.openid.signing import AUDIENCE, EC, ED, ISSUER, NOW, RSA, Published, access_claims, signed
from webhook_bridge.exports.cells import csv_rows
from zixly_core.machine_tokens import digest_of, given_token, is_secret, new_secret, text_of
from zixly_core.openid.tokens import TokenRefused, checked_access_token
from zixly_core.queues.bodies import bodies_of, job_ids_in

pytestmark = pytest.mark.unit
KEYS = Published(RSA, EC, ED)
PROOFS = {alg: signed(access_claims(), key=key, alg=alg) for alg, key in (("RS256", RSA), ("PS256", RSA), ("ES256", EC), ("EdDSA", ED))}
TOKEN_ID, SECRET = UUID("00000000-0000-4000-8000-0000000000ab"), new_secret()
TOKEN = text_of(TOKEN_ID, SECRET)
printable = st.characters(min_codepoint=33, max_codepoint=126)


def changed(text: str, data: st.DataObject) -> str:
    """The text with one character replaced."""
    position = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(printable.filter(lambda one: one != text[position]))
    return f"{text[:position]}{other}{text[position + 1 :]}"


def refused(token: str) -> bool:
    try:
        checked_access_token(token, KEYS, issuer=ISSUER, audience=AUDIENCE, now=NOW)
    except TokenRefused:
        return True
    return False


@pytest.mark.parametrize("alg", PROOFS)
@given(data=st.data())
def test_a_signed_token_with_any_character_changed_is_refused(alg: str, data: st.DataObject) -> None:
    assert refused(changed(PROOFS[alg], data))


@pytest.mark.parametrize("alg", PROOFS)
def test_a_signed_token_whose_last_character_means_the_same_bytes_is_refused(alg: str) -> None:
    """Base64 leaves bits over at the end of what is no multiple of three bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert not refused(PROOFS[alg])
    assert [one for one in alphabet if one != PROOFS[alg][-1] and not refused(PROOFS[alg][:-1] + one)] == []


@given(text=st.text(max_size=300) | st.from_regex(r"\A[\w-]{0,80}\.[\w-]{0,80}\.[\w-]{0,80}\Z"))
def test_any_text_is_no_signed_token(text: str) -> None:
    assert refused(text)


@given(data=st.data())
def test_a_token_of_ours_with_any_character_changed_is_another(data: st.DataObject) -> None:
    given_one = given_token(changed(TOKEN, data))
    assert given_one is None or given_one.id != TOKEN_ID or not is_secret(given_one.secret, sha256=digest_of(SECRET))


@given(text=st.text(printable, max_size=120).map("zx_".__add__) | st.text(max_size=120))
def test_any_text_is_a_token_of_ours_or_none(text: str) -> None:
    given_one = given_token(text)
    assert given_one is None or text_of(given_one.id, given_one.secret) == text or given_one.id == UUID(int=0)


@given(rows=st.lists(st.lists(st.none() | st.booleans() | st.integers() | st.text(max_size=60), min_size=2, max_size=4), max_size=4))
def test_no_cell_of_any_table_begins_a_formula_and_none_is_lost(rows: list[list[object]]) -> None:
    found = list(csv.reader(io.StringIO(csv_rows(rows).decode(), newline="")))
    assert [len(row) for row in found] == [len(row) for row in rows]
    texts = [
        written for row, told in zip(found, rows, strict=True) for written, value in zip(row, told, strict=True) if isinstance(value, str)
    ]
    assert [text for text in texts if text.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))] == []


@given(body=st.text(max_size=120))
def test_any_message_names_jobs_or_nothing(body: str) -> None:
    assert all(isinstance(one, UUID) for one in job_ids_in(body))


@given(ids=st.lists(st.uuids(), min_size=1, max_size=1_100))
def test_what_is_sent_is_what_is_read(ids: list[UUID]) -> None:
    assert [one for body in bodies_of(ids) for one in job_ids_in(body)] == ids
