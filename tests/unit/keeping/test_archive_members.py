"""Archives hold any bytes under ids, are the same each time, and are never read half."""

from __future__ import annotations

import gzip
from datetime import date
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.archive_members import packed, unpacked
from zixly_core.errors import Permanent
from zixly_core.stores.archives import Due, grouped
from zixly_core.tenant_export import Sink
from zixly_core.workflows.privacy import Demand, PrivacyRequest

pytestmark = pytest.mark.unit
DAY = date(2026, 8, 1)


@given(st.dictionaries(st.uuids(), st.binary(max_size=200), max_size=5))
def test_what_is_packed_is_unpacked(members: dict[UUID, bytes]) -> None:
    piece = packed(members)
    assert unpacked(piece, key="k") == members
    assert packed(dict(reversed(members.items()))) == piece


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_an_archive_that_is_cut_off_is_not_read_half(cut: int) -> None:
    piece = packed({uuid4(): b"one", uuid4(): b"two"})
    with pytest.raises(Permanent, match="tenant/archive/x"):
        unpacked(piece[:-cut], key="tenant/archive/x")


@pytest.mark.parametrize(
    "text", [b"no json\n", b'{"id": "x", "bytes": 1}\nab\n', b'{"id": "6a8c2a5e-0000-4000-8000-000000000000", "bytes": 9}\nab\n']
)
def test_an_archive_that_says_something_else_is_damaged(text: bytes) -> None:
    with pytest.raises(Permanent):
        unpacked(gzip.compress(text), key="k")


def test_groups_are_of_one_tenant_and_day_and_no_larger_than_allowed() -> None:
    mine, theirs = uuid4(), uuid4()
    due = [Due(uuid4(), tenant, DAY, 40) for tenant in (mine, theirs, mine, mine, None)]
    groups = list(grouped("events", due, max_bytes=100, max_members=10))
    assert [(group.tenant_id, len(group.ids)) for group in groups] == [(mine, 2), (mine, 1), (theirs, 1), (None, 1)]


def test_one_that_is_larger_than_allowed_has_an_object_to_itself() -> None:
    due = [Due(uuid4(), None, DAY, size) for size in (10, 1_000, 10)]
    assert [len(group.ids) for group in grouped("events", due, max_bytes=100, max_members=10)] == [1, 1, 1]


def test_what_was_written_is_taken_once() -> None:
    sink = Sink()
    sink.write(b"ab")
    sink.write(b"c")
    assert (sink.taken(), sink.taken()) == (b"abc", b"")


@pytest.mark.parametrize(
    ("payload", "is_there"),
    [
        (b'{"email":"ann@example.test"}', True),
        (b'{"note":"to ANN@Example.test."}', True),
        (b'{"email":"joann@example.test"}', False),
        (b'{"email":"ann@example.test.au"}', False),
        (b'{"email":"ann@example.tests"}', False),
        (b"\xff\xfe", False),
    ],
)
def test_an_address_is_found_where_it_stands_alone(payload: bytes, *, is_there: bool) -> None:
    request = PrivacyRequest(Demand.ERASE_CUSTOMER, "shop", "1", (), "ann@example.test")
    assert request.is_in(payload) is is_there
