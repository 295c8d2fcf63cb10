from __future__ import annotations

from webhook_bridge.buckets import BYTES_AT_ONCE, REQUESTS_AT_ONCE, KeptRejections


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def kept(rejections: KeptRejections, count: int, *, system: str = "xero", size_bytes: int = 10) -> int:
    return sum(rejections.may_keep(system, size_bytes=size_bytes) for _ in range(count))


def test_a_burst_is_kept_whole_and_a_flood_is_not() -> None:
    assert kept(KeptRejections(clock=Clock()), 10_000) == REQUESTS_AT_ONCE


def test_some_more_are_kept_as_time_goes_by() -> None:
    clock = Clock()
    rejections = KeptRejections(clock=clock)
    kept(rejections, 1_000)
    clock.now += 10
    assert kept(rejections, 1_000) == 50


def test_large_bodies_use_up_room_sooner() -> None:
    assert kept(KeptRejections(clock=Clock()), 100, size_bytes=5_000_000) == BYTES_AT_ONCE // 5_000_000


def test_one_systems_flood_leaves_the_others_room() -> None:
    rejections = KeptRejections(clock=Clock())
    kept(rejections, 1_000)
    assert kept(rejections, 10, system="callbacks") == 10
