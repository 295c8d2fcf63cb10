"""W3C Trace Context: what is taken up, and that nothing else is. www.w3.org/TR/trace-context, sections 3.2 and 3.3."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_core.ids import new_id
from zixly_core.trace_context import TraceContext, header_of, is_among, new_span, parent_of, span_of, state_of, told_by

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"
PLACE = TraceContext(UUID(hex=TRACE), int(SPAN, 16))
# The standard's grammar, written down a second time: versions above 00 may go on after a dash.
FIRST_VERSION = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
LATER_VERSION = re.compile(r"(?!00|ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", re.DOTALL)

hexadecimal = st.text(alphabet="0123456789abcdefABCDEF-g", max_size=40)
almost = st.builds(
    "-".join,
    st.tuples(
        st.sampled_from(["00", "01", "fe", "ff", "0", "0x"]),
        st.sampled_from([TRACE, "0" * 32, TRACE[:-1], TRACE.upper(), TRACE + "0"]) | hexadecimal,
        st.sampled_from([SPAN, "0" * 16, SPAN[1:]]) | hexadecimal,
        st.sampled_from(["00", "01", "ff", "1", "01-", "01-more", "01.more", "0A"]),
    ),
)


@pytest.mark.parametrize(
    "header", [GOOD, f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-ff", f"cc-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-comes"]
)
def test_the_place_that_a_sender_names_is_taken_up(header: str) -> None:
    assert parent_of(header) == PLACE


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"cc-{TRACE}-{SPAN}-01more",
        f"00-{TRACE}-{SPAN}",
        f" {GOOD}",
        f"{GOOD}\n",
        f"{GOOD}, {GOOD}",
        f"cc-{TRACE}-{SPAN}-01-{'x' * 600}",
        f"00-{'４' * 32}-{SPAN}-01",
    ],
)
def test_a_header_that_is_not_as_the_standard_says_begins_a_new_trace(header: str) -> None:
    assert parent_of(header) is None


@given(almost | st.text())
def test_only_what_the_grammar_allows_is_read_and_nothing_raises(header: str) -> None:
    allowed = FIRST_VERSION.fullmatch(header) or LATER_VERSION.fullmatch(header)
    assert (parent_of(header) is not None) == bool(allowed)


@given(st.lists(almost | st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_headers_of_any_kind_and_number_never_raise(parents: list[str], states: list[str]) -> None:
    caller = told_by(parents, states)
    assert caller is None or (len(parents) == 1 and len(caller.state) <= 512)


def test_two_traceparents_name_no_trace() -> None:
    assert told_by([GOOD, GOOD]) is None


def test_what_we_send_is_what_we_read() -> None:
    place = TraceContext(new_id(), new_span())
    assert parent_of(header_of(place, is_sampled=True)) == parent_of(header_of(place, is_sampled=False)) == place
    assert header_of(PLACE, is_sampled=True) == GOOD


def test_a_state_is_kept_in_its_order() -> None:
    assert (
        state_of(["rojo=00f067aa0ba902b7", " congo=t61rcWkgMzE , ,1a-2@vendor=x y"])
        == "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,1a-2@vendor=x y"
    )


@pytest.mark.parametrize(
    "state",
    [
        "a=1,a=2",
        "A=1",
        "a",
        "a=",
        "a=\x00",
        "a=é",
        "a=b=c",
        ",".join(f"k{n}=v" for n in range(33)),
        f"a={'x' * 257}",
        f"a={'x' * 250},b={'x' * 250},c={'x' * 20}",
    ],
)
def test_a_state_that_is_wrong_or_too_long_is_not_kept_at_all(state: str) -> None:
    assert state_of([state]) == ""


@given(st.uuids(allow_nil=False))
def test_a_span_is_named_after_an_id_of_ours_and_is_never_none(subject: UUID) -> None:
    ours = UUID(int=subject.int & ~(0b11 << 62) | 0b10 << 62)  # as RFC 9562 marks every id
    assert 0 < span_of(ours) < 1 << 64


def test_a_ratio_of_traces_is_recorded_and_the_same_ones_everywhere() -> None:
    traces = [new_id() for _ in range(4000)]
    chosen = [is_among(trace, ratio=0.25) for trace in traces]
    assert 800 < sum(chosen) < 1200
    assert chosen == [is_among(UUID(trace.hex), ratio=0.25) for trace in traces]
    assert all(is_among(trace, ratio=1) for trace in traces)
    assert not any(is_among(trace, ratio=0) for trace in traces)
