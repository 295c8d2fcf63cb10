"""What our subscriptions at a vendor look like to a check: those that are gone, what was mended, and what only people can mend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from zixly_core.stores.watching import Trouble


@dataclass(frozen=True)
class Loss:
    """A subscription that the vendor has no more: since when events may be missing (None: an earlier check knew), and whether there is
    a new one. `resource` is what it was about, where each has one of its own."""

    since: datetime | None
    is_mended: bool
    resource: str | None = None


@dataclass(frozen=True)
class SubscriptionsSeen:
    """What was seen at the vendor. `made`: subscriptions that were made now, the replaced ones among them."""

    losses: tuple[Loss, ...] = ()
    made: int = 0
    troubles: Mapping[Trouble, str] = field(default_factory=dict)
