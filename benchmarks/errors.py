"""What can go wrong while measuring."""

from __future__ import annotations

from zixly_core.errors import ZixlyError


class NotMeasured(ZixlyError):
    """The system under measurement did not do what was to be timed, so there is no figure."""

    default_reason = "not_measured"
