from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chaos import session
from zixly_cli.stack.home import Home

CLOCK = Path("clock")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What was done to the stack, in its order; the stack itself is none."""
    done: list[str] = []
    home = tmp_path / "home"

    @contextmanager
    def stack(**chosen: Any) -> Iterator[Any]:
        plan = SimpleNamespace(home=Home(home))
        yield SimpleNamespace(settings=SimpleNamespace(home=home), plan=plan, up=lambda: done.append("up"))

    @contextmanager
    def small_disk(folder: Path) -> Iterator[Path]:
        done.append("small disk")
        yield folder

    def clock_of(*_: Any, **__: Any) -> Path:
        done.append("movable clock")
        return CLOCK

    monkeypatch.setattr(session, "stack_in_a_temporary_folder", stack)
    monkeypatch.setattr(session, "small_disk", small_disk)
    monkeypatch.setattr(session, "clock_of", clock_of)
    return done


def test_for_faults_there_are_a_small_disk_and_a_movable_clock(made: list[str]) -> None:
    with session.running_ground(say=lambda _: None) as ground:
        assert made == ["small disk", "up", "movable clock"]
        assert (ground.disk, ground.clock) == (ground.plan.home.objects, CLOCK)


def test_where_nothing_is_broken_the_stack_is_as_everybody_has_it(made: list[str]) -> None:
    with session.running_ground(say=lambda _: None, for_faults=False) as ground:
        assert made == ["up"]
        assert (ground.disk, ground.clock) == (None, None)
