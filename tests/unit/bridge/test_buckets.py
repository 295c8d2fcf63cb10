from __future__ import annotations

import pytest

from webhook_bridge.buckets import MAX_SOURCES, SOURCE, SYSTEM, KeptRejections, network_of


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def kept(
    rejections: KeptRejections,
    count: int,
    *,
    system: str = "xero",
    path: str = "xero",
    client: str = "192.0.2.1",
    size_bytes: int = 10,
) -> int:
    return sum(rejections.may_keep(system, path=path, client=client, size_bytes=size_bytes) for _ in range(count))


def test_a_burst_is_kept_whole_and_a_flood_is_not() -> None:
    assert kept(KeptRejections(clock=Clock()), 10_000) == SOURCE.requests


def test_some_more_are_kept_as_time_goes_by() -> None:
    clock = Clock()
    rejections = KeptRejections(clock=clock)
    kept(rejections, 1_000)
    clock.now += 10
    assert kept(rejections, 1_000) == 10 * SOURCE.requests_per_second


def test_large_bodies_use_up_room_sooner() -> None:
    assert kept(KeptRejections(clock=Clock()), 100, size_bytes=5_000_000) == SOURCE.size_bytes // 5_000_000


@pytest.mark.parametrize(
    "other", [{"client": "198.51.100.7"}, {"path": "xero-invoice"}, {"system": "callbacks"}], ids=["network", "path", "system"]
)
def test_one_sources_flood_leaves_all_others_room(other: dict[str, str]) -> None:
    rejections = KeptRejections(clock=Clock())
    kept(rejections, 10_000)
    assert kept(rejections, 150, **other) == 150  # type: ignore[arg-type]


def test_many_sources_together_keep_no_more_than_their_system_may() -> None:
    rejections = KeptRejections(clock=Clock())
    assert sum(kept(rejections, 100, client=f"192.0.{number}.1") for number in range(200)) == SYSTEM.requests
    assert kept(rejections, 10, system="callbacks") == 10


def test_sources_that_are_forgotten_get_no_more_than_their_system_may() -> None:
    rejections = KeptRejections(clock=Clock())
    flood = sum(kept(rejections, 1, client=f"10.{number // 250}.{number % 250}.1") for number in range(3 * MAX_SOURCES))
    assert flood == SYSTEM.requests


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.17", "192.0.2.0/24"),
        ("2001:db8:0:ff12::9", "2001:db8:0:ff00::/56"),
        ("::ffff:192.0.2.17", "192.0.2.0/24"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_source_is_a_network_and_not_an_address(client: str, network: str) -> None:
    assert network_of(client) == network
