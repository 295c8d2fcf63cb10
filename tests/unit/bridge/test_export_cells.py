from __future__ import annotations

import csv
import io
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook_bridge.exports.cells import BOM, as_text, cell, csv_rows, quoted
from webhook_bridge.exports.formats import ExportFormat, Writer, file_headers
from webhook_bridge.exports.lists import listings
from webhook_bridge.permissions import ROUTES
from zixly_core.notifications.facts import Places

FORMULAS = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x", " =1", "'=1", '"=1', "\tx", "\rx"]
LOCALES = [",", ";", "\t", "|"]


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("before", ["", *(f"a{separator}" for separator in LOCALES), 'a;"', "a\n", "a;;"])
def test_no_text_begins_a_formula_whatever_the_spreadsheet_splits_at(text: str, before: str) -> None:
    written = cell(before + text)
    parts = re.split(r"[;,|\n]", written)
    assert [part for part in parts if part.lstrip(" \"'\t\r")[:1] in set("=+-@＝＋－＠") and "'" not in part] == []
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))


PLAIN = ["a-b", "a - b", "mail@example.com", "1+1=2", "2026-11-28T01:00:00Z", "xero:c2cc:INVOICE:1", "", "a, b; c"]


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_formula_is_written_as_it_is(text: str) -> None:
    assert cell(text) == text


@given(st.text(alphabet=st.sampled_from(";,|\t\r\n \"'=+-@＝＋－＠ab1:\u2003é")))
def test_the_quick_look_lets_no_text_through_that_the_careful_one_would_change(text: str) -> None:
    assert as_text(text) == quoted(text)


def test_numbers_stay_numbers_and_truths_are_small() -> None:
    assert [cell(value) for value in (-5, 0, 1.5, -0.25, True, False, None)] == ["-5", "0", "1.5", "-0.25", "true", "false", ""]
    assert cell("-5") == "'-5", "a text that looks like a number is a text"


def test_what_is_written_is_read_back_by_any_reader_of_csv() -> None:
    texts = ['say "hi"', "two\r\nlines", "comma, here", "ünïcödé", "nul\0"]
    assert list(csv.reader(io.StringIO(csv_rows([texts, ["x"]]).decode(), newline=""))) == [texts, ["x"]]
    assert csv_rows([["a", "b"]]) == b"a,b\r\n"


def test_a_text_of_nothing_but_separators_takes_no_longer_than_its_length() -> None:
    """Seconds, if each of them were looked at anew from each."""
    assert cell("a" + "\n" * 200_000) == "a" + "\n" * 200_000


def test_a_table_begins_with_the_mark_that_excel_wants_and_lines_of_json_do_not() -> None:
    assert Writer(["a", "b"], ExportFormat.CSV).head() == BOM + b"a,b\r\n"
    lines = Writer(["a"], ExportFormat.JSON)
    assert lines.head() + lines.written([{"a": 1, "b": 2}, {"a": "=1"}]) == b'{"a":1}\n{"a":"=1"}\n'


def test_the_name_of_the_file_tells_the_list_and_the_day() -> None:
    told = [file_headers("jobs", form, day=date(2026, 11, 28))["content-disposition"] for form in ExportFormat]
    assert told == [f'attachment; filename="zixly-jobs-2026-11-28.{ending}"' for ending in ("csv", "ndjson")]


def test_whoever_may_have_a_list_whole_is_whoever_may_see_it() -> None:
    names = [one.name for one in listings(Places(bridge="", runbook=""))]
    assert {name: ROUTES["GET", f"/api/{name}/export"] for name in names} == {name: ROUTES["GET", f"/api/{name}"] for name in names}
