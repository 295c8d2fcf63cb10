from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from zixly_cli.stack import ports

LINUX = (32768, 60999)


@pytest.mark.parametrize(
    ("lent", "first", "last"), [(LINUX, 20_000, 32_767), ((10_000, 30_000), 30_001, 65_535), ((49152, 65535), 20_000, 49_151)]
)
def test_no_port_is_looked_for_among_those_that_the_system_lends(lent: tuple[int, int], first: int, last: int) -> None:
    every = last - first + 1
    found = list(islice(ports.candidates(lent), every))
    assert (min(found), max(found), len(set(found))) == (first, last, every)


def test_where_nearly_all_are_lent_any_will_do() -> None:
    found = set(islice(ports.candidates((1024, 65535)), ports.HIGHEST - ports.LOWEST + 1))
    assert (min(found), max(found)) == (ports.LOWEST, ports.HIGHEST)


def test_a_port_comes_again_only_when_all_others_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_candidates", ports.candidates(LINUX))
    monkeypatch.setattr(ports, "is_free", lambda port: port % 2 == 0)
    found = [ports.free_port() for _ in range(6_384)]
    assert len(set(found)) == 6_384
    assert all(port % 2 == 0 for port in found)
    assert ports.free_port() == found[0]


def test_the_ports_of_a_stacks_workers_are_beside_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_candidates", iter(range(20_000, 30_000)))
    taken = {20_020}
    monkeypatch.setattr(ports, "is_free", lambda port: port not in taken)
    found = ports.free_stack_ports(workers=12)
    first = found["worker_metrics_port"]
    beside = set(range(first, first + 12))
    assert not beside & taken
    assert beside & set(found.values()) == {first}
    assert "worker_1_port" not in found


@pytest.mark.parametrize(("text", "expected"), [("32768\t60999\n", LINUX), ("", ports.IANA_DYNAMIC), ("what\n", ports.IANA_DYNAMIC)])
def test_the_system_tells_which_it_lends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: tuple[int, int]) -> None:
    monkeypatch.setattr(ports, "LENT", tmp_path / "range")
    (tmp_path / "range").write_text(text)
    assert ports.lent_ports() == expected


def test_where_the_system_does_not_tell_it_is_the_range_of_the_standard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "LENT", tmp_path / "none")
    assert ports.lent_ports() == ports.IANA_DYNAMIC
