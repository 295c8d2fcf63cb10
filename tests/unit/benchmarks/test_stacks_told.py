"""What py-spy saw, put together: whose code was at work, and in which functions."""

from __future__ import annotations

import pytest

from benchmarks.stacks_told import PYTHON, area_of, areas_of, functions_of, stacks_in

pytestmark = pytest.mark.unit

SEEN = """\
run (py/lib/threading.py:982);claim (at/zixly_core/claims.py:40);execute (py/site-packages/psycopg/a.py:1);wait (py/lib/selectors.py:468) 30
run (py/lib/threading.py:982);claim (at/zixly_core/claims.py:44);loads (py/lib/json/decoder.py:1) 5
run (py/lib/threading.py:982);again (at/zixly_core/a.py:1);again (at/zixly_core/a.py:1) 2
run (py/lib/threading.py:982);wait (py/lib/selectors.py:468) 3
py-spy> told something else
"""


def test_the_same_stack_is_one_however_many_lines_it_has() -> None:
    found = stacks_in("a (x.py:1) 2\na (x.py:1) 3\n")
    assert found == {("a (x.py:1)",): 5}


@pytest.mark.parametrize(
    ("frame", "area"),
    [
        ("claim (zixly_core/stores/claims.py:40)", "zixly_core"),
        ("claim (somewhere/else/zixly_dagster/instance/worker.py:40)", "zixly_dagster"),
        ("six (py/site-packages/six.py:12)", "six"),
        ("loads (py/lib/json/decoder.py:12)", PYTHON),
        ("execute (somewhere/lib/python3.11/site-packages/psycopg/connection.py:12)", "psycopg"),
        ("<module> (threading.py:9)", PYTHON),
        ("nowhere", PYTHON),
    ],
)
def test_a_frame_is_somebodys_code(frame: str, area: str) -> None:
    assert area_of(frame) == area


def test_what_python_does_is_done_for_whoever_called_it() -> None:
    assert areas_of(stacks_in(SEEN)) == {"psycopg": 30, "zixly_core": 7, PYTHON: 3}


def test_a_function_counts_once_for_each_look_with_what_it_calls() -> None:
    found = functions_of(stacks_in(SEEN))
    assert found["claim, zixly_core claims.py"] == 35
    assert found["again, zixly_core a.py"] == 2
    assert "wait, Python's own selectors.py" not in found
