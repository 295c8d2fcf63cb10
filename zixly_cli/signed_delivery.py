"""A delivery that is ready to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SignedDelivery:
    """A request body and the headers that prove where it comes from."""

    path: str
    headers: Mapping[str, str]
    body: bytes
