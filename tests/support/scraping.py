"""A page of metrics, read as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPConnection

from prometheus_client.parser import text_string_to_metric_families

Samples = Mapping[tuple[str, tuple[str, ...]], float]


def samples_in(page: str) -> Samples:
    """Every sample by name and label values (in the order of the label names)."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def scraped_from(port: int, *, token: str | None = None) -> Samples:
    """Raises `OSError` when nobody listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics", headers={"authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        page = answer.read().decode()
    finally:
        connection.close()
    assert answer.status == 200, page
    return samples_in(page)
