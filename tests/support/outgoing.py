"""The policy for tests whose servers are on this machine."""

from __future__ import annotations

from zixly_core.outgoing import INSIDE, Outgoing, Place

HERE = Outgoing((Place("127.0.0.1", None, INSIDE), Place("localhost", None, INSIDE)))
