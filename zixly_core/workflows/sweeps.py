"""What the workflow `trading-sweep` works on."""

from __future__ import annotations

from zixly_core.systems.callbacks.sweep_request import SweepRequest

__all__ = ["SweepRequest"]
